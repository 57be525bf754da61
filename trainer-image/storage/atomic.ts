import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces a file as a whole: whoever reads it, at any instant, sees the old or the new content.
 *
 * Written aside, flushed to the disk, then renamed.
 */
export function writeAtomic(path: string, chunks: readonly Uint8Array[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const aside = `${path}.part`;
  const file = openSync(aside, 'w');
  try {
    for (const chunk of chunks) {
      for (let offset = 0; offset < chunk.byteLength; ) offset += writeSync(file, chunk, offset);
    }
    fsyncSync(file);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  renameSync(aside, path);
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
