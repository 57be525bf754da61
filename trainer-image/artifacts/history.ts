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

/**
 * Drops what was recorded after an epoch: it will be trained, and recorded, again.
 *
 * @param note is told of epochs up to that one whose record is lost.
 */
export function truncateHistory(artifacts: string, epoch: number, note: (message: string) => void): void {
  const path = join(artifacts, artifactFiles.history);
  const kept = readHistory(artifacts).filter((record) => record.epoch <= epoch);
  const there = new Set(kept.map((record) => record.epoch));
  const lost = Array.from({ length: epoch }, (_, index) => index + 1).filter((number) => !there.has(number));
  if (lost.length > 0) note(`${path} is damaged: nothing is known of epoch ${lost.join(', ')} any more.`);
  const lines = kept.map((record) => `${JSON.stringify(record)}\n`).join('');
  writeAtomic(path, [Buffer.from(lines)]);
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
