import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { DestillError } from '@destillml/core/errors.ts';
import { ContentDiffers, type FetchFileDeps, type FileOrigin, fetchFile } from '../fetch-file.ts';
import type { Bucket, StoredObject } from './bucket.ts';
import { errorCode } from './place.ts';
import { refusal, S3Refusal } from './refusal.ts';

/**
 * Puts an object to `target`, unless a file of its size is there already; resumed, checked, atomic.
 *
 * @throws S3Refusal
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
      try {
        const content = await bucket.read(object, have, signal);
        etagIsMd5 = content.etagIsMd5;
        return { start: have, total: size, body: checked(content.body) };
      } catch (error) {
        // What passes is tried again; an Error is what fetchFile takes for that.
        throw error instanceof S3Refusal && error.passes ? new Error(error.message, { cause: error }) : error;
      }
    },
    // It was checked before it was put in place.
    isSame: async (path) => (await stat(path)).size === size,
    async check(path, signal) {
      const stated = /^"?([0-9a-f]{32})"?$/.exec(etag ?? '')?.[1];
      // That of an object that was written in parts has another form.
      if (stated === undefined || !etagIsMd5) return;
      const actual = await md5Of(path, signal);
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
      return refusal(cause, bucket.place, `read ${uri} after byte ${have}`);
    },
  };
}

/** The SDK compares the checksum that the store has of the whole object, if any. */
async function* checked(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    const text = error instanceof Error ? error.message : '';
    throw text.startsWith('Checksum mismatch') ? new ContentDiffers(text) : error;
  }
}

async function md5Of(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('md5');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, signal ? { signal } : {});
  return hash.digest('hex');
}
