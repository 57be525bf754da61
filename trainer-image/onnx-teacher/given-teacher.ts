import type { OnnxTeacher } from '@destillml/core/api/onnx-teacher.ts';
import type { Network } from '../models/network.ts';
import { type OnnxTeacherOptions, readOnnxTeacher } from './read-onnx-teacher.ts';
import type { TeacherFile } from './teacher-file.ts';

/**
 * The network of `spec.teacher.from.onnx`, whose file is here.
 *
 * @throws DestillError as `readOnnxTeacher` does.
 */
export function givenTeacher(
  { path, source }: TeacherFile,
  { features, logits, normalisation }: Partial<OnnxTeacher>,
  size: Pick<OnnxTeacherOptions, 'classes' | 'imageSize'>,
): Network {
  return readOnnxTeacher(path, { ...size, features, logits, normalisation, source });
}
