/** Finds the files of a data set: in a folder, gzipped in a folder, or in a tar archive. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DestillError } from '@destillml/core/errors.ts';
import { formatBytes } from '@destillml/core/text/bytes.ts';
import { corrupt, reasonOf } from './corrupt.ts';
import { defaultLimits } from './limits.ts';
import { tarEntries } from './tar.ts';

/** A file's bytes, and the name that messages give it. */
export interface DataFile {
  readonly path: string;
  readonly bytes: Buffer;
}

export interface Wanted {
  /** Names of the files, all needed. */
  readonly names: readonly string[];
  /** Usual name of the archive that holds them. */
  readonly archive?: string;
}

/** The largest file that is read as a whole. */
const { inMemoryBytes: inMemory } = defaultLimits;
const most = formatBytes(inMemory);

/** How many folders below a place its files may be. */
export const foldersDeep = 2;

/**
 * The wanted files, in the order wanted, from `place`: an archive, or a folder that holds them (`foldersDeep` at most,
 * plain or as NAME.gz) or their archive.
 *
 * @throws DestillError `DatasetUnavailable` where files are missing.
 */
export async function findFiles(
  place: string,
  { names, archive }: Wanted,
  signal?: AbortSignal,
): Promise<readonly DataFile[]> {
  const kind = await stat(place).catch(() => undefined);
  if (kind?.isFile()) return fromArchive(place, names, signal);
  if (!kind?.isDirectory()) {
    throw new DestillError(
      'DatasetUnavailable',
      `${place}: no such folder. Give the folder with ${names.join(', ')}.`,
    );
  }
  const [first = ''] = names;
  for (const folder of [place, ...(await foldersBelow(place, foldersDeep))]) {
    const there = new Set(await readdir(folder));
    if (there.has(first) || there.has(`${first}.gz`)) return fromFolder(folder, there, names);
    if (archive !== undefined && there.has(archive)) return fromArchive(join(folder, archive), names, signal);
  }
  throw new DestillError(
    'DatasetUnavailable',
    `${place}: holds neither ${first}${archive ? ` nor ${archive}` : ` nor ${first}.gz`}. Put ${names.join(', ')} there.`,
  );
}

/** Folders below `folder` down to `depth`, breadth first, sorted. */
async function foldersBelow(folder: string, depth: number): Promise<string[]> {
  if (depth === 0) return [];
  const entries = await readdir(folder, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  const deeper = await Promise.all(folders.sort().map((each) => foldersBelow(each, depth - 1)));
  return [...folders, ...deeper.flat()];
}

async function fromFolder(folder: string, there: ReadonlySet<string>, names: readonly string[]) {
  const found: DataFile[] = [];
  for (const name of names) {
    const isPlain = there.has(name);
    if (!isPlain && !there.has(`${name}.gz`)) throw missing(folder, name);
    const path = join(folder, isPlain ? name : `${name}.gz`);
    const stored = await wholeFile(path);
    found.push({ path, bytes: isPlain ? stored : await unzipped(path, stored) });
  }
  return found;
}

async function fromArchive(path: string, names: readonly string[], signal: AbortSignal | undefined) {
  const found = new Map<string, DataFile>();
  for await (const entry of tarEntries(path, signal)) {
    if (entry.kind !== 'file') continue;
    const base = entry.name.slice(entry.name.lastIndexOf('/') + 1);
    const name = names.find((each) => base === each || base === `${each}.gz`);
    if (name === undefined) continue;
    const shown = `${path}:${entry.name}`;
    const stored = await entry.body();
    found.set(name, { path: shown, bytes: base === name ? stored : await unzipped(shown, stored) });
  }
  return names.map((name) => {
    const file = found.get(name);
    if (file === undefined) throw missing(path, name);
    return file;
  });
}

async function unzipped(path: string, stored: Buffer): Promise<Buffer> {
  try {
    return await promisify(gunzip)(stored, { maxOutputLength: inMemory });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge(path, `holds more than ${most}`, cause);
    const what = `not a complete gzip file (${stored.length} bytes): ${reasonOf(cause)}`;
    throw corrupt(path, what, 'Fetch the file again.', cause);
  }
}

async function wholeFile(path: string): Promise<Buffer> {
  const { size } = await stat(path);
  if (size > inMemory) throw tooLarge(path, `has ${formatBytes(size)}; ${most} are the most`);
  return readFile(path);
}

function tooLarge(path: string, what: string, cause?: unknown): DestillError {
  return corrupt(path, `${what} of such a file`, 'Use the files of this data set.', cause);
}

function missing(place: string, name: string): DestillError {
  return new DestillError(
    'DatasetUnavailable',
    `${place}: ${name} is missing. Put the complete data set there.`,
  );
}
