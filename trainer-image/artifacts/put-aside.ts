import { renameSync } from 'node:fs';
import { DamagedFile } from '../storage/damaged-file.ts';
import { writingSync } from '../storage/disk.ts';
import { asideOf } from './files.ts';

/**
 * What `read` makes of a file; undefined where that is damaged: it is kept beside, under another name.
 *
 * @param note is told which file it is, what is wrong with it, and where it is now.
 */
export function readOrPutAside<T>(
  read: () => T,
  path: string,
  note: (message: string) => void,
): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    writingSync(path, () => renameSync(path, asideOf(path)));
    note(`${error.message} It is put aside as ${asideOf(path)}.`);
    return undefined;
  }
}

/** What is said of a checkpoint that has no digest. */
export function unchecked(path: string): string {
  return `${path} is of an older version, without a digest: it is used unchecked.`;
}
