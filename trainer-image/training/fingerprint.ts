/** What a Run is trained on, in a few digests: it goes on with the same, or not at all. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { DestillError } from '@destillml/core/errors.ts';
import type { Checkpoint, DataFingerprint } from '../artifacts/checkpoint.ts';
import type { ImageSet, LoadedDataset } from '../data/dataset.ts';
import type { Split } from '../data/splits.ts';

/** Files that are looked at at the same time. */
const atOnce = 32;
/** Files of each split that are read. */
const readFiles = 64;

/**
 * Images in memory count with all their pixels. Of image files, all count with folder, name and size, and some, spread
 * evenly, with their content: to read them all takes as long as an epoch.
 */
export async function fingerprintOf(
  { name, classes, train, test }: LoadedDataset,
  split: Split,
  signal: AbortSignal,
): Promise<DataFingerprint> {
  return {
    name,
    images: digest([await imagesOf(train, signal), await imagesOf(test, signal)]),
    labels: digest([JSON.stringify(classes), bytesOf(train.labels), bytesOf(test.labels)]),
    split: digest([bytesOf(split.train), '/', bytesOf(split.validation)]),
  };
}

/** @throws DestillError `CheckpointUnusable` where a Run was trained on something else so far. */
export function checkSameData({ path, data }: Checkpoint, now: DataFingerprint): void {
  if (data === undefined) return;
  const differs = (['images', 'labels', 'split'] as const).filter((part) => data[part] !== now[part]);
  if (data.name === now.name && differs.length === 0) return;
  const what =
    data.name === now.name
      ? `was trained on other data of ${now.name}: what differs from then is ${differs.join(', ')}`
      : `was trained on ${data.name}, not on ${now.name}`;
  throw new DestillError(
    'CheckpointUnusable',
    `${path} ${what}. Put back the data that the Run began with; or delete its folder, and it trains anew.`,
  );
}

async function imagesOf({ content, count }: ImageSet, signal: AbortSignal): Promise<Uint8Array | string> {
  if (content instanceof Uint8Array) return content;
  const step = Math.max(1, Math.floor(count / readFiles));
  const said: string[] = Array(content.length);
  let next = 0;
  const look = async () => {
    while (next < content.length) {
      const index = next++;
      const path = content[index] ?? '';
      signal.throwIfAborted();
      const { size } = await stat(path);
      const read = index % step === 0 ? digest([await readFile(path)]) : '';
      said[index] = JSON.stringify([basename(dirname(path)), basename(path), size, read]);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, look));
  return said.join('\n');
}

function digest(parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array | Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
