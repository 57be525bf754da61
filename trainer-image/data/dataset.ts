/** What every reader hands to training: labelled images of one size. */
import type { DatasetName } from '@destillml/core/api/dataset.ts';
import { corrupt } from './corrupt.ts';

/** Labelled square RGB images of one size. */
export interface ImageSet {
  /** Side in pixels. */
  readonly size: number;
  readonly count: number;
  /** Class names; a label is an index into them. */
  readonly classes: readonly string[];
  /** `[count]`, each 0 … classes − 1. */
  readonly labels: Int32Array;
  /** What the images are made of: all their pixels before they are resized, or their files, in their order. */
  readonly content: Uint8Array | readonly string[];
  /**
   * Writes the images at `indices` into `target` as RGB, 0 – 255, `[n, size, size, 3]`.
   *
   * @throws DestillError `DatasetCorrupt` where an image file cannot be decoded.
   */
  read(indices: ArrayLike<number>, target: Uint8Array): Promise<void>;
}

/** A data set with its two splits, checked, and what there is to say about it. */
export interface LoadedDataset {
  readonly name: DatasetName;
  readonly classes: readonly string[];
  readonly train: ImageSet;
  readonly test: ImageSet;
  /** Where the files came from: a folder, an address, a package. */
  readonly origin: string;
  /** How the images were brought to their size, which checks they passed, what to know about the split. */
  readonly notes: readonly string[];
}

/** Bytes of one image of side `size`. */
export function imageBytes(size: number): number {
  return size * size * 3;
}

/** An image set whose pixels (`[count, size, size, 3]`) are all in memory. */
export function inMemory(
  images: Uint8Array,
  size: number,
  labels: Int32Array,
  classes: readonly string[],
): ImageSet {
  const bytes = imageBytes(size);
  if (images.length !== labels.length * bytes) {
    throw new RangeError(`${images.length} bytes are not ${labels.length} images of ${size} × ${size} × 3`);
  }
  return {
    size,
    count: labels.length,
    classes,
    labels,
    content: images,
    async read(indices, target) {
      for (let i = 0; i < indices.length; i++) {
        const start = checkedIndex(indices, i, labels.length) * bytes;
        target.set(images.subarray(start, start + bytes), i * bytes);
      }
    },
  };
}

/** `indices[i]`, which must name one of `count` images. */
export function checkedIndex(indices: ArrayLike<number>, i: number, count: number): number {
  const index = indices[i];
  if (index === undefined || !(index >= 0 && index < count)) {
    throw new RangeError(`image ${index} of ${count} does not exist`);
  }
  return index;
}

/** Images of each class: `[classes]`. */
export function countByClass(labels: Int32Array, classes: number): Uint32Array {
  const counts = new Uint32Array(classes);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}

/** Refuses a split in which a class has no image: `file` is where the labels came from. */
export function checkEveryClass(labels: Int32Array, classes: readonly string[], file: string): void {
  const counts = countByClass(labels, classes.length);
  const missing = classes.filter((_, label) => counts[label] === 0);
  if (missing.length > 0) {
    const shown = missing.slice(0, 5).join(', ') + (missing.length > 5 ? ', …' : '');
    throw corrupt(
      file,
      `${missing.length} of ${classes.length} classes have no image: ${shown}`,
      'Use the complete data set.',
    );
  }
}
