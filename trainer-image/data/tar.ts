/**
 * Reads tar archives (POSIX ustar with pax and GNU long names; plain or gzipped) as a stream.
 *
 * Format: POSIX.1-2017, pax, "ustar Interchange Format". Own reader, since what data sets need of the format is
 * small and messages are to name the offset.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { corrupt, reasonOf } from './corrupt.ts';

const block = 512;
const remedy = 'Fetch the archive again.';

/** A regular file inside an archive. `body` can be read until the next entry is asked for. */
export interface TarEntry {
  readonly name: string;
  readonly size: number;
  /** The file's bytes. */
  body(): Promise<Buffer>;
}

/** The regular files of an archive, in its order; everything else (folders, links) is passed over. */
export async function* tarEntries(path: string, signal?: AbortSignal): AsyncGenerator<TarEntry> {
  const source = await byteSource(path, signal);
  try {
    let longName: string | undefined;
    for (;;) {
      const offset = source.offset;
      const header = await source.take(block);
      if (header.every((byte) => byte === 0)) {
        await source.drain();
        return;
      }
      const { name, size, type } = parseHeader(header, path, offset);
      const padding = (block - (size % block)) % block;
      if (type === 'L' || type === 'x') {
        const body = await source.take(size);
        longName = type === 'L' ? text(body) : (paxPath(body) ?? longName);
        await source.skip(padding);
      } else {
        let taken = false;
        const body = () => {
          taken = true;
          return source.take(size);
        };
        if (type === '0' || type === '\0') yield { name: longName ?? name, size, body };
        await source.skip(taken ? padding : size + padding);
        longName = undefined;
      }
    }
  } finally {
    source.close();
  }
}

function parseHeader(header: Buffer, path: string, offset: number) {
  const stated = octal(header.subarray(148, 156));
  let sum = 8 * 32;
  for (let i = 0; i < block; i++) if (i < 148 || i >= 156) sum += header[i] ?? 0;
  if (stated !== sum) {
    throw corrupt(path, `not a tar archive, or damaged: wrong header checksum at byte ${offset}`, remedy);
  }
  const name = text(header.subarray(0, 100));
  const isUstar = header.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? text(header.subarray(345, 500)) : '';
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: octal(header.subarray(124, 136)),
    type: String.fromCharCode(header[156] ?? 0),
  };
}

function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

function octal(bytes: Buffer): number {
  return Number.parseInt(text(bytes).trim(), 8) || 0;
}

/** `path` of a pax extended header: lines "LENGTH KEY=VALUE\n". */
function paxPath(body: Buffer): string | undefined {
  return /^\d+ path=(.*)$/m.exec(body.toString('utf8'))?.[1];
}

/** Takes exact numbers of bytes from a file, which is unzipped if it begins like gzip. */
async function byteSource(path: string, signal: AbortSignal | undefined) {
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  const unzip = (await isGzip(path)) ? createGunzip({ chunkSize: 1 << 18 }) : undefined;
  // pipe() does not carry errors over.
  if (unzip) file.on('error', (error) => unzip.destroy(error)).pipe(unzip);
  const chunks = (unzip ?? file)[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let chunk: Buffer = Buffer.alloc(0);
  let offset = 0;

  /** Hands the next `size` bytes to `use`, piece by piece. */
  async function pass(size: number, use: (piece: Buffer, position: number) => void): Promise<void> {
    for (let done = 0; done < size; ) {
      if (chunk.length === 0) chunk = await next();
      const piece = chunk.subarray(0, size - done);
      use(piece, done);
      chunk = chunk.subarray(piece.length);
      done += piece.length;
      offset += piece.length;
    }
  }

  async function next(): Promise<Buffer> {
    const piece = await nextOrEnd();
    if (piece) return piece;
    throw corrupt(path, `truncated: ends at byte ${offset}${unzip ? ' of its content' : ''}`, remedy);
  }

  async function nextOrEnd(): Promise<Buffer | undefined> {
    signal?.throwIfAborted();
    try {
      const { done, value } = await chunks.next();
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
    async take(size: number): Promise<Buffer> {
      const bytes = Buffer.alloc(size);
      await pass(size, (piece, position) => piece.copy(bytes, position));
      return bytes;
    },
    skip: (size: number) => pass(size, () => undefined),
    /** Reads to the end: only there does gzip compare its checksum. */
    async drain(): Promise<void> {
      while (await nextOrEnd()) chunk = Buffer.alloc(0);
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
