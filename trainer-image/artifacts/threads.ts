import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DamagedFile } from '../storage/damaged-file.ts';
import { readCheckpoint } from './checkpoint.ts';
import { artifactFiles } from './files.ts';

/** With how many threads the newest checkpoint of a folder was trained; undefined where none says so. */
export function threadsIn(folder: string): number | undefined {
  for (const name of [artifactFiles.last, artifactFiles.previous]) {
    const path = join(folder, name);
    try {
      if (existsSync(path)) return readCheckpoint(path).state?.threads.at(-1);
    } catch (error) {
      // Training puts it aside, and says so.
      if (!(error instanceof DamagedFile)) throw error;
    }
  }
  return undefined;
}
