import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DestillError } from '@destillml/core/errors.ts';
import { makeFolder, writingSync } from '@destillml/trainer/storage/disk.ts';
import { identityOf, isAlive, type ProcessIdentity, processIdentity } from './process-identity.ts';

/**
 * Takes the lock of a folder: a file `lock` with this process's identity. A lock whose process is gone is taken over.
 *
 * @returns a function that gives it back.
 * @throws DestillError `Environment` if another process that runs has it; `StorageFull`, `StorageReadOnly`.
 */
export function takeLock(folder: string): () => void {
  const path = join(folder, 'lock');
  const own = `${path}.${process.pid}`;
  makeFolder(folder);
  try {
    writingSync(own, () => writeFileSync(own, JSON.stringify(identityOf(process.pid))));
    // A link appears as a whole or not at all: nobody ever reads half a lock.
    while (!link(own, path)) takeAside(path, `${own}.stale`);
  } finally {
    rmSync(own, { force: true });
  }
  return () => rmSync(path, { force: true });
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a lock that nobody holds. */
function takeAside(path: string, aside: string): void {
  const found = holder(path);
  if (found === 'gone') return;
  if (found !== undefined && isAlive(found)) {
    throw new DestillError(
      'Environment',
      `${path}: process ${found.pid} works in this folder. Wait for it, stop it, or choose another folder.`,
    );
  }
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  // Another process may have put its own lock there between the look and the move.
  const moved = holder(aside);
  if (moved !== 'gone' && moved !== undefined && isAlive(moved)) link(aside, path);
  rmSync(aside, { force: true });
}

/** Undefined where the file does not name a process. */
function holder(path: string): ProcessIdentity | 'gone' | undefined {
  try {
    const parsed = processIdentity.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    return parsed.data;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'gone' : undefined;
  }
}
