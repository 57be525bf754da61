import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EpochRecord, epochRecord } from '@destillml/core/api/run.ts';
import { writeAtomic } from '../storage/atomic.ts';
import { writingSync } from '../storage/disk.ts';
import { artifactFiles } from './files.ts';

/** Records of the epochs of a Run, oldest first; a line that was cut off by a crash is left out. */
export function readHistory(artifacts: string): EpochRecord[] {
  const path = join(artifacts, artifactFiles.history);
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const parsed = epochRecord.safeParse(parseLine(line));
      return parsed.success ? [parsed.data] : [];
    });
}

export function appendHistory(artifacts: string, record: EpochRecord): void {
  const path = join(artifacts, artifactFiles.history);
  writingSync(path, () => appendFileSync(path, `${JSON.stringify(record)}\n`));
}

/** Drops what was recorded after an epoch: it will be trained, and recorded, again. */
export function truncateHistory(artifacts: string, epoch: number): void {
  const kept = readHistory(artifacts).filter((record) => record.epoch <= epoch);
  const lines = kept.map((record) => `${JSON.stringify(record)}\n`).join('');
  writeAtomic(join(artifacts, artifactFiles.history), [Buffer.from(lines)]);
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
