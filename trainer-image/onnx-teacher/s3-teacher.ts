import { join } from 'node:path';
import { DestillError } from '@destillml/core/errors.ts';
import { type BucketDeps, digest, patience } from '../data/s3-source.ts';
import type { Bucket } from '../storage/s3/bucket.ts';
import { fetchObject } from '../storage/s3/fetch-object.ts';
import { patiently } from '../storage/s3/patiently.ts';

/**
 * Fetches the object whose key is the path of the bucket, unless it is in `folder` already. An object that has changed
 * is another file.
 *
 * @returns path of the file
 * @throws DestillError `TeacherMissing`
 */
export async function fetchTeacherFile(bucket: Bucket, folder: string, deps: BucketDeps): Promise<string> {
  const { warn, signal } = deps;
  const bearing = { patience, warn, wait: (milliseconds: number) => deps.wait(milliseconds, signal) };
  const objects = await patiently(() => bucket.list(signal), bearing);
  const object = objects.find(({ name }) => name === '');
  if (object === undefined) {
    throw new DestillError(
      'TeacherMissing',
      `${bucket.uri()}: there is no such object. Correct spec.teacher.from.onnx.s3.key.`,
    );
  }
  const target = join(folder, `s3-${digest(bucket.uri(), [object])}.onnx`);
  await patiently(
    (getsOn) => fetchObject(bucket, object, target, { wait: deps.wait, onProgress: getsOn, signal }),
    bearing,
  );
  return target;
}
