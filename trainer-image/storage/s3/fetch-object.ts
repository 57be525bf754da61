import { stat } from 'node:fs/promises';
import { DestillError } from '@destillml/core/errors.ts';
import { digestOf } from '../digest.ts';
import { ContentDiffers, type FetchFileDeps, type FileOrigin, fetchFile } from '../fetch-file.ts';
import type { Bucket, StoredObject } from './bucket.ts';
import { errorCode } from './place.ts';
import { refusal, S3Refusal } from './refusal.ts';

/**
 * Puts an object to `target`, unless a file of its size is there already; resumed, checked, atomic.
 *
 * A connection that is cut is made up for; whether a store is waited for that is away is the caller's decision.
 *
 * @throws S3Refusal; DestillError `StorageFull`, `StorageReadOnly` or `Environment` where this machine cannot take the object
 */
export async function fetchObject(
  bucket: Bucket,
  object: StoredObject,
  target: string,
  deps: FetchFileDeps,
): Promise<void> {
  await fetchFile(objectOrigin(bucket, object), target, deps);
}

function objectOrigin(bucket: Bucket, object: StoredObject): FileOrigin {
  const { size, etag } = object;
  const uri = bucket.uri(object.name);
  let etagIsMd5 = true;
  return {
    async open(have, signal) {
      if (have > size) throw new ContentDiffers(`it has ${size} bytes, ${have} were there`);
      if (have === size && size > 0) return undefined;
      const content = await bucket.read(object, have, signal);
      etagIsMd5 = content.etagIsMd5;
      return { start: have, total: size, body: bytesOf(content.body) };
    },
    // It was checked before it was put in place.
    isSame: async (path) => (await stat(path)).size === size,
    async check(path, signal) {
      // A store that knows no ranges sends the whole object where its rest was asked for.
      const { size: arrived } = await stat(path);
      if (arrived !== size) throw new ContentDiffers(`${arrived} bytes arrived, it has ${size}`);
      const stated = /^"?([0-9a-f]{32})"?$/.exec(etag ?? '')?.[1];
      // That of an object that was written in parts has another form.
      if (stated === undefined || !etagIsMd5) return;
      const actual = await digestOf(path, 'md5', signal);
      if (actual !== stated)
        throw new ContentDiffers(`what arrived has MD5 ${actual}, its ETag is ${stated}`);
    },
    unavailable(have, cause) {
      if (cause instanceof Error && cause.cause instanceof S3Refusal) return cause.cause;
      if (cause instanceof ContentDiffers) {
        return new DestillError(
          errorCode(bucket.place.purpose),
          `${uri}: ${cause.message}. Write the object anew.`,
        );
      }
      return isOfThisMachine(cause)
        ? new DestillError('Environment', `${uri}: it cannot be kept on this machine: ${cause.message}.`, {
            cause,
          })
        : refusal(cause, bucket.place, `read ${uri} after byte ${have}`);
    },
  };

  async function* bytesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let got = false;
    try {
      for await (const bytes of body) {
        got = true;
        yield bytes;
      }
    } catch (error) {
      const text = error instanceof Error ? error.message : '';
      // The SDK compares the checksum that the store has of the whole object, if any.
      if (text.startsWith('Checksum mismatch')) throw new ContentDiffers(text);
      const refused = refusal(error, bucket.place, `read ${uri}`);
      // Where something came, the rest is asked for at once.
      throw got ? new Error(refused.message, { cause: refused }) : refused;
    }
  }
}

/** Errors of connections are refusals by then. */
function isOfThisMachine(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
