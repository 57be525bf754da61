/** Batches of one epoch, read ahead of the training step. */
import { shuffled } from '../nn/random.ts';
import { type ImageSet, imageBytes } from './dataset.ts';

export interface Batch {
  /** Position in the epoch, from 0. */
  readonly step: number;
  /** RGB, 0 – 255, `[b, size, size, 3]`. */
  readonly images: Uint8Array;
  /** `[b]`. */
  readonly labels: Int32Array;
  /** Indices into the image set, `[b]`: an image's identity for augmentation, whatever its place in the epoch. */
  readonly indices: Uint32Array;
}

export interface BatchesOptions {
  readonly set: ImageSet;
  /** The images of the epoch: indices into `set`. */
  readonly indices: Uint32Array;
  /** The last batch holds what is left. */
  readonly batchSize: number;
  /** Order drawn from seed and epoch; without it the order of `indices`. */
  readonly shuffle?: { readonly seed: number; readonly epoch: number } | undefined;
  /** First batch to read, for going on within an epoch. Default 0. */
  readonly startStep?: number | undefined;
  /** Batches read ahead of the one in use. Default 2. */
  readonly lookAhead?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Batches in an epoch of `images` images. */
export function stepsPerEpoch(images: number, batchSize: number): number {
  return Math.ceil(images / batchSize);
}

/**
 * The batches of an epoch from `startStep` on, in order. Each belongs to the caller.
 *
 * Reading begins with the first call of `next` and stops when the caller stops or the signal is raised.
 *
 * @throws DestillError `DatasetCorrupt` from the image set; the signal's reason.
 */
export async function* batches(options: BatchesOptions): AsyncGenerator<Batch, void, void> {
  const { set, indices, batchSize, shuffle, startStep = 0, lookAhead = 2, signal } = options;
  const order = shuffle
    ? shuffled(indices.length, shuffle.seed, shuffle.epoch).map((place) => indices[place] ?? 0)
    : indices;
  const steps = stepsPerEpoch(order.length, batchSize);
  const ahead: Promise<Batch>[] = [];
  try {
    for (let step = startStep, next = startStep; step < steps; step++) {
      signal?.throwIfAborted();
      for (; next < steps && next <= step + lookAhead; next++) {
        const reading = readBatch(set, order.slice(next * batchSize, (next + 1) * batchSize), next);
        // Handled when its turn comes; it may fail long before.
        reading.catch(() => undefined);
        ahead.push(reading);
      }
      const batch = await ahead.shift();
      signal?.throwIfAborted();
      if (batch) yield batch;
    }
  } finally {
    await Promise.allSettled(ahead);
  }
}

async function readBatch(set: ImageSet, indices: Uint32Array, step: number): Promise<Batch> {
  const images = new Uint8Array(indices.length * imageBytes(set.size));
  await set.read(indices, images);
  return { step, images, labels: Int32Array.from(indices, (index) => set.labels[index] ?? 0), indices };
}
