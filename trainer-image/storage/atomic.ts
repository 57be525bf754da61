import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder, writingSync } from './disk.ts';

/**
 * Replaces a file as a whole: whoever reads it, at any instant, sees the old or the new content.
 *
 * Written aside, flushed to the disk, then renamed; nothing of it stays where that fails.
 *
 * @throws DestillError `StorageFull`, `StorageReadOnly`, `StorageUnavailable`
 */
export function writeAtomic(path: string, chunks: readonly Uint8Array[]): void {
  writingSync(path, () => replace(path, chunks));
}

function replace(path: string, chunks: readonly Uint8Array[]): void {
  makeFolder(dirname(path));
  const aside = `${path}.part`;
  const file = openSync(aside, 'w');
  try {
    for (const chunk of chunks) {
      for (let offset = 0; offset < chunk.byteLength; ) offset += writeSync(file, chunk, offset);
    }
    fsyncSync(file);
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  flushFolder(dirname(path));
}

/** Makes the disk hold the names of a folder as they are now. */
export function flushFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

export function writeJsonAtomic(path: string, value: unknown): void {
  writeAtomic(path, [Buffer.from(`${JSON.stringify(value, null, 2)}\n`)]);
}

/** Makes the disk hold what was written to a file or folder. */
export async function flush(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
