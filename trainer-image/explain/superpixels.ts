/** Images in which some superpixels are replaced: what LIME and Kernel SHAP show a network. */
import type { Masks } from './least-squares.ts';
import type { Images } from './probe.ts';

/** A division of an image into superpixels. */
export interface Segments {
  /** `[size, size]`, each 0 … count − 1. */
  readonly labels: Int32Array;
  readonly count: number;
}

/**
 * One image per row of the masks: superpixels of 1 are the image's own, those of 0 are taken from `replacement`.
 *
 * @param image `[size, size, 3]`.
 * @param replacement `[size, size, 3]`.
 */
export function masked(
  image: Float32Array,
  replacement: Float32Array,
  segments: Segments,
  masks: Masks,
): Images {
  const { labels } = segments;
  return {
    count: masks.rows,
    draw(index, target) {
      const shown = masks.values.subarray(index * masks.columns, (index + 1) * masks.columns);
      for (const [pixel, label] of labels.entries()) {
        const source = shown[label] === 1 ? image : replacement;
        for (let i = 3 * pixel; i < 3 * pixel + 3; i++) target[i] = source[i] ?? 0;
      }
    },
  };
}

/** The image with every superpixel in its mean colour: what LIME hides superpixels with. `[size, size, 3]`. */
export function meanColours(image: Float32Array, segments: Segments): Float32Array {
  const means = segmentMeans(image, segments);
  return Float32Array.from(image, (_, index) => {
    const label = segments.labels[Math.floor(index / 3)] ?? 0;
    return means[3 * label + (index % 3)] ?? 0;
  });
}

/** Mean colour of each superpixel, `[count, 3]`. @param image `[size, size, 3]`. */
export function segmentMeans(image: ArrayLike<number>, { labels, count }: Segments): Float64Array {
  const sums = new Float64Array(3 * count);
  const sizes = sizesOf({ labels, count });
  for (let index = 0; index < image.length; index++) {
    const at = 3 * (labels[Math.floor(index / 3)] ?? 0) + (index % 3);
    sums[at] = (sums[at] ?? 0) + (image[index] ?? 0);
  }
  return sums.map((sum, index) => sum / (sizes[Math.floor(index / 3)] ?? 1));
}

/** Labels as 0, 1, 2 … in the order of their values. */
export function numbered(labels: Int32Array): Segments {
  const values = [...new Set(labels)].sort((a, b) => a - b);
  const numbers = new Map(values.map((value, index) => [value, index]));
  return { labels: labels.map((label) => numbers.get(label) ?? 0), count: values.length };
}

/** Pixels of each superpixel, `[count]`. */
export function sizesOf({ labels, count }: Segments): Uint32Array {
  const sizes = new Uint32Array(count);
  for (const label of labels) sizes[label] = (sizes[label] ?? 0) + 1;
  return sizes;
}
