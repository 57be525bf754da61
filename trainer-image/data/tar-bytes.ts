/** The bytes of an archive, unzipped where it is gzipped. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { formatBytes } from '@destillml/core/text/bytes.ts';
import { corrupt, reasonOf } from './corrupt.ts';
import { type Limits, pastLimits } from './limits.ts';

const remedy = 'Fetch the archive again.';

export interface ByteSource {
  /** Bytes taken so far. */
  readonly offset: number;
  take(size: number): Promise<Buffer>;
  skip(size: number): Promise<void>;
  /** The next `size` bytes as they come. */
  chunks(size: number): AsyncGenerator<Buffer>;
  /** Reads to the end: only there does gzip compare its checksum. */
  drain(): Promise<void>;
  close(): void;
}

/**
 * @throws DestillError, as all its methods, `DatasetCorrupt` where the archive is cut off, cannot be unzipped, or becomes
 * many times what it is
 */
export async function openBytes(
  path: string,
  limits: Limits,
  signal: AbortSignal | undefined,
): Promise<ByteSource> {
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  const unzip = (await isGzip(path)) ? createGunzip({ chunkSize: 1 << 18 }) : undefined;
  // pipe() does not carry errors over.
  if (unzip) file.on('error', (error) => unzip.destroy(error)).pipe(unzip);
  const pieces = (unzip ?? file)[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let piece: Buffer = Buffer.alloc(0);
  let offset = 0;
  let unzipped = 0;

  async function* chunks(size: number): AsyncGenerator<Buffer> {
    for (let done = 0; done < size; ) {
      if (piece.length === 0) piece = await next();
      const part = piece.subarray(0, size - done);
      piece = piece.subarray(part.length);
      done += part.length;
      offset += part.length;
      yield part;
    }
  }

  async function next(): Promise<Buffer> {
    const found = await nextOrEnd();
    if (found) return found;
    throw corrupt(path, `truncated: ends at byte ${offset}${unzip ? ' of its content' : ''}`, remedy);
  }

  async function nextOrEnd(): Promise<Buffer | undefined> {
    signal?.throwIfAborted();
    const found = await read();
    unzipped += found?.length ?? 0;
    if (unzip && unzipped > limits.freeBytes && unzipped > limits.ratio * unzip.bytesWritten) {
      const what = `${formatBytes(unzipped)} came out of ${formatBytes(unzip.bytesWritten)}`;
      throw corrupt(path, `${what}, more than ${limits.ratio} bytes of one`, pastLimits);
    }
    return found;
  }

  async function read(): Promise<Buffer | undefined> {
    try {
      const { done, value } = await pieces.next();
      return done ? undefined : value;
    } catch (cause) {
      const at = unzip ? `compressed byte ${unzip.bytesWritten}` : `byte ${offset}`;
      throw corrupt(path, `cannot be read at ${at}: ${reasonOf(cause)}`, remedy, cause);
    }
  }

  return {
    get offset() {
      return offset;
    },
    async take(size) {
      const bytes = Buffer.alloc(size);
      let done = 0;
      for await (const part of chunks(size)) done += part.copy(bytes, done);
      return bytes;
    },
    async skip(size) {
      for await (const _ of chunks(size));
    },
    chunks,
    async drain() {
      while (await nextOrEnd()) piece = Buffer.alloc(0);
    },
    close() {
      file.destroy();
      unzip?.destroy();
    },
  };
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer.readUInt16BE(0) === 0x1f8b;
  } finally {
    await file.close();
  }
}
