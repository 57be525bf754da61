/**
 * Reads tar archives (ustar with pax and GNU long names; plain or gzipped) as a stream.
 *
 * Own reader: messages name the offset, bytes are pulled and never pushed, and an archive that says two things about one
 * entry is damaged, where the libraries (tar, tar-stream) choose one of them.
 */
import type { DestillError } from '@destillml/core/errors.ts';
import { formatBytes } from '@destillml/core/text/bytes.ts';
import { corrupt } from './corrupt.ts';
import { defaultLimits, type Limits, pastLimits } from './limits.ts';
import { type ByteSource, openBytes } from './tar-bytes.ts';
import { type About, block, described, type Header, isDescription, parseHeader } from './tar-header.ts';

const remedy = 'Fetch the archive again.';

/** Something inside an archive. `chunks` or `body` can be read once, until the next entry is asked for. */
export interface TarEntry {
  readonly kind: 'file' | 'folder' | 'link';
  readonly name: string;
  /** Bytes of a file. */
  readonly size: number;
  /** Of a link: where it leads, from the folder that it is in or, a hard link, from that of the archive. */
  readonly target: { readonly name: string; readonly fromRoot: boolean } | undefined;
  chunks(): AsyncGenerator<Buffer>;
  /** All bytes at once, of a file that may be held in memory. */
  body(): Promise<Buffer>;
}

/**
 * What an archive holds, in its order.
 *
 * @throws DestillError `DatasetCorrupt` where it is damaged, beyond the limits, or holds what is no file, folder or link
 */
export async function* tarEntries(
  path: string,
  signal?: AbortSignal,
  limits: Limits = defaultLimits,
): AsyncGenerator<TarEntry> {
  const source = await openBytes(path, limits, signal);
  try {
    yield* new Archive(path, source, limits).entries();
  } finally {
    source.close();
  }
}

class Archive {
  readonly #path: string;
  readonly #source: ByteSource;
  readonly #limits: Limits;
  #count = 0;
  #bytes = 0;

  constructor(path: string, source: ByteSource, limits: Limits) {
    this.#path = path;
    this.#source = source;
    this.#limits = limits;
  }

  async *entries(): AsyncGenerator<TarEntry> {
    const source = this.#source;
    let about: About = {};
    for (;;) {
      const at = source.offset;
      const damaged = (what: string) => corrupt(this.#path, `${what} at byte ${at}`, remedy);
      const header = parseHeader(await source.take(block), damaged);
      if (header === undefined) return source.drain();
      if (isDescription(header.type)) {
        about = { ...about, ...described(header.type, await this.#description(header), damaged) };
        continue;
      }
      const entry = this.#entry({ ...header, ...about }, at);
      about = {};
      this.#checkLimits(entry);
      const end = source.offset + entry.size;
      yield entry;
      await source.skip(end - source.offset + paddingOf(entry.size));
    }
  }

  async #description({ size }: Header): Promise<Buffer> {
    const most = this.#limits.descriptionBytes;
    if (size > most)
      throw corrupt(this.#path, `${size} bytes about an entry; ${most} are the most of it`, remedy);
    const content = await this.#source.take(size);
    await this.#source.skip(paddingOf(size));
    return content;
  }

  #entry({ name, target, type, size }: Header, at: number): TarEntry {
    const refused = (what: string) => this.#refused(`${name || 'without a name'} at byte ${at} ${what}`);
    if (name === '') throw refused('is nothing that can be unpacked');
    const without = { name, size: 0, target: undefined, ...this.#content(name, 0) };
    switch (type) {
      case '0':
      case '\0':
      case '7':
        if (name.endsWith('/')) throw refused('is a file of its type and a folder of its name');
        return { ...without, kind: 'file', size, ...this.#content(name, size) };
      case '5':
        return { ...without, kind: 'folder' };
      case '1':
      case '2':
        return { ...without, kind: 'link', target: { name: target, fromRoot: type === '1' } };
      case '3':
      case '4':
        throw refused('is a device');
      case '6':
        throw refused('is a named pipe');
      default:
        throw refused(`is of the type "${type}": no file, folder or link`);
    }
  }

  #content(name: string, size: number): Pick<TarEntry, 'chunks' | 'body'> {
    const most = this.#limits.inMemoryBytes;
    return {
      chunks: () => this.#source.chunks(size),
      body: () => {
        if (size <= most) return this.#source.take(size);
        throw this.#refused(
          `${name} has ${formatBytes(size)}; ${formatBytes(most)} are the most of such a file`,
        );
      },
    };
  }

  #checkLimits({ name, size }: TarEntry): void {
    const { entries, bytes, entryBytes } = this.#limits;
    this.#count += 1;
    this.#bytes += size;
    const beyond = (what: string) => corrupt(this.#path, what, pastLimits);
    if (size > entryBytes)
      throw beyond(
        `its entry ${name} has ${formatBytes(size)}; ${formatBytes(entryBytes)} are the most of a file`,
      );
    if (this.#count > entries)
      throw beyond(`it has more than ${entries} entries, of which ${name} is the next`);
    if (this.#bytes > bytes)
      throw beyond(
        `with its entry ${name} it has more than ${formatBytes(bytes)}, the most that is unpacked`,
      );
  }

  #refused(entryAndWhat: string): DestillError {
    return corrupt(this.#path, `its entry ${entryAndWhat}`, 'Do not use this archive, or make it anew.');
  }
}

/** Content fills whole blocks. */
function paddingOf(size: number): number {
  return (block - (size % block)) % block;
}
