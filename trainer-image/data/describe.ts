/** What there is to know about a loaded data set before training on it. */
import { countByClass, type ImageSet, imageBytes, type LoadedDataset } from './dataset.ts';
import type { Split } from './splits.ts';

interface SplitDescription {
  readonly name: 'train' | 'validation' | 'test';
  readonly images: number;
  /** Images of each class, `[classes]`. */
  readonly perClass: readonly number[];
}

export interface DatasetDescription {
  readonly name: string;
  readonly origin: string;
  readonly notes: readonly string[];
  readonly classes: readonly string[];
  /** Side in pixels. */
  readonly imageSize: number;
  readonly splits: readonly SplitDescription[];
  /** Mean of R, G and B over the images used for training, as shares of full intensity (0 – 1). */
  readonly channelMean: readonly [number, number, number];
  /** Standard deviation of R, G and B over all pixels of those images, likewise. */
  readonly channelDeviation: readonly [number, number, number];
}

const imagesAtOnce = 256;

/**
 * Describes the splits. Every image of both splits is read, so an image file that cannot be decoded is found here.
 *
 * @throws DestillError `DatasetCorrupt` on an undecodable image.
 */
export async function describeDataset(
  loaded: LoadedDataset,
  split: Split,
  signal?: AbortSignal,
): Promise<DatasetDescription> {
  const { name, origin, notes, classes, train, test } = loaded;
  const all = Uint32Array.from(test.labels.keys());
  const sums = await channelSums(train, split.train, signal);
  await channelSums(train, split.validation, signal);
  await channelSums(test, all, signal);
  const pixels = split.train.length * train.size * train.size;
  const mean = (channel: 0 | 1 | 2) => sums[channel].sum / pixels / 255;
  const deviation = (channel: 0 | 1 | 2) =>
    Math.sqrt(Math.max(0, sums[channel].squares / pixels / 255 ** 2 - mean(channel) ** 2));
  return {
    name,
    origin,
    notes,
    classes,
    imageSize: train.size,
    splits: [
      describeSplit('train', train, split.train),
      describeSplit('validation', train, split.validation),
      describeSplit('test', test, all),
    ],
    channelMean: [mean(0), mean(1), mean(2)],
    channelDeviation: [deviation(0), deviation(1), deviation(2)],
  };
}

function describeSplit(
  name: SplitDescription['name'],
  set: ImageSet,
  indices: Uint32Array,
): SplitDescription {
  const labels = Int32Array.from(indices, (index) => set.labels[index] ?? 0);
  return { name, images: indices.length, perClass: [...countByClass(labels, set.classes.length)] };
}

interface Sums {
  readonly sum: number;
  readonly squares: number;
}

/** Sum and sum of squares of each channel over the images, exact up to 2⁵³. */
async function channelSums(
  set: ImageSet,
  indices: Uint32Array,
  signal: AbortSignal | undefined,
): Promise<readonly [Sums, Sums, Sums]> {
  const counts = [new Float64Array(256), new Float64Array(256), new Float64Array(256)] as const;
  const buffer = new Uint8Array(imagesAtOnce * imageBytes(set.size));
  for (let start = 0; start < indices.length; start += imagesAtOnce) {
    signal?.throwIfAborted();
    const some = indices.subarray(start, start + imagesAtOnce);
    await set.read(some, buffer);
    const end = some.length * imageBytes(set.size);
    for (const [channel, histogram] of counts.entries()) {
      for (let i = channel; i < end; i += 3) {
        const value = buffer[i] ?? 0;
        histogram[value] = (histogram[value] ?? 0) + 1;
      }
    }
  }
  return [fromHistogram(counts[0]), fromHistogram(counts[1]), fromHistogram(counts[2])];
}

function fromHistogram(histogram: Float64Array): Sums {
  let sum = 0;
  let squares = 0;
  for (const [value, count] of histogram.entries()) {
    sum += value * count;
    squares += value * value * count;
  }
  return { sum, squares };
}
