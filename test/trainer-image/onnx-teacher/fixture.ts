/** What test/reference/onnx_teacher.py wrote. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { normalise } from '@destillml/trainer/data/augmentation.ts';
import type { OnnxTeacherOptions } from '@destillml/trainer/onnx-teacher/read-onnx-teacher.ts';
import { type Tensor4D, tf } from '@destillml/trainer/tensorflow/tf.ts';
import { filled } from '../models/filled.ts';

const folder = join(import.meta.dirname, '../../fixtures');

interface Expected {
  readonly batch: number;
  readonly imageSize: number;
  readonly classes: number;
  /** Of every channel. */
  readonly mean: number;
  readonly deviation: number;
  readonly outputs: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>
  >;
}

export const expected: Expected = JSON.parse(readFileSync(join(folder, 'onnx-teacher.json'), 'utf8'));

/** How the teacher is to be read. */
export const options: OnnxTeacherOptions = {
  classes: expected.classes,
  imageSize: expected.imageSize,
  normalisation: { mean: Array(3).fill(expected.mean), deviation: Array(3).fill(expected.deviation) },
};

/** @param how PyTorch's exporters are called: `traced` or `captured`. */
export function fixturePath(how: string): string {
  return join(folder, `onnx-teacher-${how}.onnx`);
}

/** The images, as networks get them. */
export function images(): Tensor4D {
  const { batch, imageSize: size } = expected;
  const planes = filled('teacher images', batch * 3 * size * size, 0.5, 0.5);
  return tf.tidy(() => normalise(tf.tensor4d(planes, [batch, 3, size, size]).transpose([0, 2, 3, 1])));
}
