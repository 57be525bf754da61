/** Files and folders that appear complete or not at all: written aside, flushed to disk, renamed. */
import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { flush } from '../storage/atomic.ts';
import { writing } from '../storage/disk.ts';

const day = 24 * 3600 * 1000;

/**
 * Lets `fill` make a file or folder beside `target`, then moves it there. Where `fill` fails, nothing stays.
 *
 * @throws DestillError `StorageFull`, `StorageReadOnly`, `StorageUnavailable`; what `fill` throws
 *
 * Another process may make the same target meanwhile: a file is replaced, a folder that is there by then is kept.
 */
export async function writeAside(target: string, fill: (path: string) => Promise<void>): Promise<void> {
  // A disk may say only as it is flushed that it has no room.
  await writing(target, () => replace(target, fill));
}

async function replace(target: string, fill: (path: string) => Promise<void>): Promise<void> {
  const aside = `${target}.${randomUUID()}.aside`;
  try {
    await fill(aside);
    await removeAbandoned(target, aside);
    await flush(aside);
    await rename(aside, target).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    await flush(dirname(target));
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** Removes what killed processes left beside `target` more than a day before `aside` was written. */
async function removeAbandoned(target: string, aside: string): Promise<void> {
  const { mtimeMs: now } = await stat(aside);
  for (const name of await readdir(dirname(target))) {
    if (!name.startsWith(`${basename(target)}.`) || !name.endsWith('.aside')) continue;
    const path = join(dirname(target), name);
    const other = await stat(path).catch(() => undefined);
    if (other && now - other.mtimeMs > day) await rm(path, { recursive: true, force: true });
  }
}
