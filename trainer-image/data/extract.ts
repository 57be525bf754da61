/** Unpacks an archive of images into a folder. */
import { link, lstat, mkdir, open, readdir, stat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { DestillError } from '@destillml/core/errors.ts';
import { makeFolder } from '../storage/disk.ts';
import { writeAside } from './aside.ts';
import { corrupt } from './corrupt.ts';
import type { Progress } from './download.ts';
import { entryPath, entryProblem } from './entry-path.ts';
import { defaultLimits, pastLimits } from './limits.ts';
import { type TarEntry, tarEntries } from './tar.ts';

export interface ExtractDeps {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes `folder` hold the files of the tar archive, unless the folder exists; it appears complete or not at all. A link to
 * a file of the archive becomes that file: no link is ever made, so nothing is written through one.
 *
 * @throws DestillError `DatasetCorrupt` on an archive that is damaged, goes beyond the limits, leads out of itself or has
 * two entries for one file.
 */
export async function extract(
  archive: string,
  folder: string,
  { onProgress, signal }: ExtractDeps,
  limits = defaultLimits,
): Promise<void> {
  if (await stat(folder).catch(() => undefined)) return;
  makeFolder(dirname(folder));
  await writeAside(folder, async (aside) => {
    await mkdir(aside);
    const links: Link[] = [];
    let done = 0;
    for await (const entry of tarEntries(archive, signal, limits)) {
      const path = pathOf(entry, archive);
      if (entry.kind === 'link') {
        links.push({ path, name: entry.name, target: targetOf(entry, archive) });
        if (links.length > limits.links)
          throw corrupt(archive, `it has more than ${limits.links} links`, pastLimits);
      } else {
        await unpack(entry, join(aside, path)).catch((error) => {
          throw collision(error, entry.name, archive);
        });
      }
      onProgress?.({ step: 'unpack', what: archive, done: ++done, total: undefined });
    }
    // Only now is there what they lead to.
    await followAll(links, aside, archive);
  });
}

/** `folder`, or the folder inside it where `name` is. */
export async function folderWith(name: string, folder: string): Promise<string> {
  for (const each of ['.', ...(await readdir(folder))]) {
    if (await stat(join(folder, each, name)).catch(() => undefined)) return join(folder, each);
  }
  return folder;
}

interface Link {
  readonly path: string;
  readonly name: string;
  /** Path of what it leads to. */
  readonly target: string;
}

function pathOf({ name }: TarEntry, archive: string): string {
  const problem = entryProblem(name);
  if (problem !== undefined) throw refused(archive, name, problem);
  return entryPath(name);
}

function targetOf({ name, target }: TarEntry, archive: string): string {
  const from = target?.fromRoot ? '' : dirname(entryPath(name));
  const to = target?.name ?? '';
  const path = posix.isAbsolute(to) ? to : posix.join(from, to);
  const problem = entryProblem(path);
  if (problem !== undefined) throw refused(archive, name, `is a link to ${to}, which ${problem}`);
  return path;
}

async function unpack(entry: TarEntry, path: string): Promise<void> {
  if (entry.kind === 'folder') {
    await mkdir(path, { recursive: true });
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'wx');
  try {
    for await (const chunk of entry.chunks()) await file.writeFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Links to links are followed so many times. */
const longestChain = 8;

/** Makes every link the file that it leads to, which another link may have to become before. */
async function followAll(links: readonly Link[], aside: string, archive: string): Promise<void> {
  let open = links;
  for (let pass = 0; pass < longestChain && open.length > 0; pass++) {
    const left: Link[] = [];
    for (const each of open) if (!(await follow(each, aside, archive))) left.push(each);
    open = left;
  }
  const [first] = open;
  if (first === undefined) return;
  throw refused(archive, first.name, `is a link to ${first.target}, which is no file of the archive`);
}

async function follow({ path, name, target }: Link, aside: string, archive: string): Promise<boolean> {
  const found = await lstat(join(aside, target)).catch(() => undefined);
  if (!found?.isFile()) return false;
  try {
    await mkdir(dirname(join(aside, path)), { recursive: true });
    await link(join(aside, target), join(aside, path));
    return true;
  } catch (error) {
    throw collision(error, name, archive);
  }
}

/** What the file system says where an entry is in the place of another. */
function collision(error: unknown, name: string, archive: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EEXIST':
    case 'EISDIR':
    case 'ENOTDIR':
      return refused(archive, name, 'is where another entry is already, or below one that is a file');
    case 'ENAMETOOLONG':
      return refused(archive, name, 'has a name too long for a file');
    default:
      return error;
  }
}

function refused(archive: string, name: string, problem: string): DestillError {
  return corrupt(archive, `its entry ${name} ${problem}`, 'Do not use this archive, or make it anew.');
}
