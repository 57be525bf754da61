import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, type ProcessIdentity, processIdentity } from '../store/process-identity.ts';
import { runFiles } from '../store/run-folder.ts';
import type { Surroundings } from '../surroundings.ts';

/**
 * Waits until the trainers of a command that was killed have written their checkpoints and ended: two must never write
 * into one folder.
 *
 * @param folders of Runs.
 * @param poll waits a moment between two looks.
 */
export async function endOrphans(
  folders: readonly string[],
  note: (text: string) => void,
  poll: () => Promise<void>,
): Promise<void> {
  for (const folder of folders) {
    const path = join(folder, runFiles.process);
    const orphan = readIdentity(path);
    if (orphan !== undefined && isAlive(orphan)) {
      note(`waiting for trainer process ${orphan.pid} of an earlier command to end`);
      process.kill(orphan.pid, 'SIGTERM');
      while (isAlive(orphan)) await poll();
    }
    rmSync(path, { force: true });
  }
}

/** A tenth of a second between two looks. */
export function pollWith({ after }: Pick<Surroundings, 'after'>): () => Promise<void> {
  return () => new Promise((resolve) => after(100, resolve));
}

/** The folders inside `parent`. */
export function foldersIn(parent: string): string[] {
  return existsSync(parent) ? readdirSync(parent).map((name) => join(parent, name)) : [];
}

function readIdentity(path: string): ProcessIdentity | undefined {
  try {
    return processIdentity.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
  } catch {
    return undefined;
  }
}
