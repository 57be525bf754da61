/** Makes the ONNX file of a teacher be on this machine. */
import { join, posix } from 'node:path';
import type { S3Object } from '@destillml/core/api/locations.ts';
import { type OnnxTeacher, onnxTeacherAddress } from '@destillml/core/api/onnx-teacher.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { type DownloadDeps, type DownloadErrors, download } from '../data/download.ts';
import type { Bucket } from '../storage/s3/bucket.ts';

export interface TeacherFile {
  readonly path: string;
  /** What messages call it: where the spec says it is. */
  readonly source: string;
}

export interface TeacherFileDeps extends DownloadDeps {
  /** Folder in which persistent volume claims are mounted at their names; undefined where none are. */
  readonly claims: string | undefined;
  /** The object, as a bucket whose path is its key. */
  readonly openBucket: (object: S3Object) => Promise<Bucket>;
  /** Told where that bucket is away and waited for. */
  readonly warn: (message: string) => void;
}

const errors: DownloadErrors = {
  field: 'spec.teacher.from.onnx.http',
  unavailable: 'TeacherMissing',
  differs: 'CheckpointUnusable',
};

/** Where files that are fetched lie, in the folder of the data sets. */
export function teacherFolder(data: string): string {
  return join(data, 'teachers');
}

/**
 * Where the file is, once it is here. A file on a web server or in S3 is fetched into `folder`, where the next call
 * finds it. Whether a file that should be here already is, reading it says.
 *
 * @throws DestillError `TeacherMissing`; `CheckpointUnusable` on another checksum; `InvalidSpec` on a claim that is not
 *   mounted.
 */
export async function teacherFile(
  teacher: OnnxTeacher,
  folder: string,
  deps: TeacherFileDeps,
): Promise<TeacherFile> {
  return { path: await locate(teacher, folder, deps), source: onnxTeacherAddress(teacher) };
}

async function locate(teacher: OnnxTeacher, folder: string, deps: TeacherFileDeps): Promise<string> {
  const { http, file, persistentVolumeClaim: claim, s3 } = teacher;
  if (http) {
    const target = join(folder, `${http.sha256.slice(0, 16)}.onnx`);
    await download(http.url, http.sha256, target, deps, errors);
    return target;
  }
  if (s3) {
    const { fetchTeacherFile } = await import('./s3-teacher.ts');
    const bucket = await deps.openBucket(s3);
    try {
      return await fetchTeacherFile(bucket, folder, deps);
    } finally {
      bucket.close();
    }
  }
  if (claim) {
    if (deps.claims === undefined) {
      throw new DestillError(
        'InvalidSpec',
        `spec.teacher.from.onnx.persistentVolumeClaim: the claim ${claim.claimName} is not mounted here. On this machine use spec.teacher.from.onnx.file.`,
      );
    }
    // `..` does not lead out of the volume.
    return join(deps.claims, claim.claimName, posix.join('/', claim.path));
  }
  if (file) return file.path;
  throw new DestillError(
    'InvalidSpec',
    'spec.teacher.from.onnx: set exactly one of http, file, persistentVolumeClaim, s3.',
  );
}
