import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { DestillError } from '@destillml/core/errors.ts';

export interface LockDeps {
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal;
}

/** Milliseconds. A file server forgets the locks of a machine that is gone after some 90 seconds. */
const longestWait = 120_000;

/**
 * Makes this process the only one that works in a folder, for as long as it lives.
 *
 * The lock is the kernel's (of NFS the server's): it ends with the process, however that ends, and holds between pods,
 * which cannot see each other's processes. SQLite is what takes such locks in Node.js; nothing is written to its file.
 *
 * @returns a function that gives it back.
 * @throws DestillError `StorageUnavailable`, which another attempt may mend, if another process still has it after `patience` milliseconds; the signal's reason.
 */
export async function lockFolder(
  folder: string,
  { warn, signal }: LockDeps,
  patience = longestWait,
): Promise<() => void> {
  const path = join(folder, 'trainer.lock');
  let lock = tryLock(path, warn);
  if (lock === undefined) warn(`${path}: another trainer works in this folder. It is waited for.`);
  for (let waited = 0; lock === undefined && waited < patience; waited += 1000) {
    await pause(1000, undefined, { signal });
    lock = tryLock(path, warn);
  }
  if (lock !== undefined) return lock;
  throw new DestillError(
    'StorageUnavailable',
    `${path}: another trainer works in this folder. Stop it, wait for it, or choose another folder.`,
  );
}

/** Undefined where another process has it. */
function tryLock(path: string, warn: (message: string) => void): (() => void) | undefined {
  let file: DatabaseSync | undefined;
  try {
    mkdirSync(join(path, '..'), { recursive: true });
    file = new DatabaseSync(path, { timeout: 0 });
    file.exec('BEGIN EXCLUSIVE');
    const locked = file;
    return () => locked.close();
  } catch (error) {
    file?.close();
    if (isBusy(error)) return undefined;
    // What keeps it from writing here is said when it writes; where there are no locks, it goes on without.
    warn(`${path} cannot be locked: nothing keeps a second trainer out of this folder. ${String(error)}`);
    return () => undefined;
  }
}

function isBusy(error: unknown): boolean {
  const busy = 5;
  return error instanceof Error && 'errcode' in error && error.errcode === busy;
}
