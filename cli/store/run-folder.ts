import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '@destillml/core/api/run.ts';
import { parseRun } from '@destillml/core/api/validate.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { writeJsonAtomic } from '@destillml/trainer/storage/atomic.ts';

/** Files of a Run's folder, beside the trainer's artifacts. */
export const runFiles = {
  run: 'run.json',
  /** The trainer's last word. */
  termination: 'termination.json',
  /** What the trainer wrote to stderr. */
  log: 'trainer.log',
  /** The trainer's process, while it runs. */
  process: 'trainer.pid',
} as const;

/** The Run of a folder; undefined where there is none. @throws DestillError `InvalidSpec` if its file is damaged. */
export function readRun(folder: string): Run | undefined {
  const path = join(folder, runFiles.run);
  if (!existsSync(path)) return undefined;
  try {
    return parseRun(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DestillError(
      'InvalidSpec',
      `${path} is not a Run: ${reason}\nDelete the folder to have it trained again.`,
      { cause },
    );
  }
}

/** Replaces the Run of a folder as a whole. */
export function writeRun(folder: string, run: Run): void {
  writeJsonAtomic(join(folder, runFiles.run), run);
}
