import { posix } from 'node:path';
import type { Storage } from '@destillml/core/api/storage.ts';

/** The Run whose artifacts are meant. */
export type RunKey = { readonly namespace: string; readonly experiment: string; readonly run: string };

/**
 * Where the artifacts of a Run are, as its own trainer and those of its students name it: an `s3://` address, or a
 * folder of the volume that is mounted at `mount`.
 */
export function artifactsOf(storage: Storage | undefined, key: RunKey, mount: string): string {
  const own = [key.namespace, key.experiment, key.run];
  if (storage?.s3) return `s3://${posix.join(storage.s3.bucket, storage.s3.prefix, ...own)}`;
  return posix.join(volumeFolder(storage, mount), ...own);
}

/** Where the artifacts of a Run are, as a person finds them. */
export function placeText(storage: Storage, key: RunKey): string {
  const claim = storage.persistentVolumeClaim?.claimName;
  const place = artifactsOf(storage, key, '/');
  return claim === undefined ? place : `${place.slice(1)} on PersistentVolumeClaim ${claim}`;
}

/**
 * Where data sets are kept that are downloaded or unpacked: beside the artifacts, if those are on a volume, so that
 * Runs share them. No namespace begins with a dot.
 */
export function dataOf(storage: Storage | undefined, mount: string, otherwise: string): string {
  return storage?.persistentVolumeClaim ? posix.join(volumeFolder(storage, mount), '.data') : otherwise;
}

/** The folder that the spec names; `..` does not lead out of the volume. */
function volumeFolder(storage: Storage | undefined, mount: string): string {
  return posix.join(mount, posix.join('/', storage?.persistentVolumeClaim?.path ?? '.'));
}
