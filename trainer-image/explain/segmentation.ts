/** Superpixels of a size that suits the image: some dozens, each larger than noise and smaller than an object. */
import { quickshift } from './quickshift.ts';
import { slic } from './slic.ts';
import { numbered, type Segments, segmentMeans, sizesOf } from './superpixels.ts';

export type SegmentationName = 'slic' | 'quickshift';

/** Largest side, in pixels, of images that are divided like those of CIFAR. */
const largestSmallImage = 64;

const settings = {
  slic: {
    small: { segments: 36, compactness: 10 },
    large: { segments: 64, compactness: 10 },
  },
  // lime's own settings (4, 200, 0.2) leave half a dozen superpixels of 32 px images.
  quickshift: {
    small: { kernelSize: 1, maxDistance: 4, ratio: 0.2 },
    large: { kernelSize: 4, maxDistance: 200, ratio: 0.2 },
  },
} as const;

/** Both leave specks: those below this share of the image go to the neighbour most like them. */
const smallestShare = 1 / 256;

/** @param pixels RGB, 0 – 255, `[size, size, 3]`. */
export function segment(pixels: Uint8Array, size: number, name: SegmentationName = 'slic'): Segments {
  const scale = size <= largestSmallImage ? 'small' : 'large';
  return withoutSpecks(divide(pixels, size, name, scale), pixels, size, smallestShare * size ** 2);
}

function divide(
  pixels: Uint8Array,
  size: number,
  name: SegmentationName,
  scale: 'small' | 'large',
): Segments {
  switch (name) {
    case 'slic':
      return slic(pixels, size, settings.slic[scale]);
    case 'quickshift':
      return quickshift(pixels, size, settings.quickshift[scale]);
  }
}

/** Gives superpixels of fewer than `least` pixels, the smallest first, to the neighbour of the nearest mean colour. */
function withoutSpecks(segments: Segments, pixels: Uint8Array, size: number, least: number): Segments {
  let found = segments;
  for (;;) {
    const sizes = sizesOf(found);
    const speck = sizes.indexOf(Math.min(...sizes));
    if (found.count === 1 || (sizes[speck] ?? 0) >= least) return found;
    const colours = segmentMeans(pixels, found);
    const distance = (other: number) =>
      [0, 1, 2].reduce(
        (sum, i) => sum + ((colours[3 * other + i] ?? 0) - (colours[3 * speck + i] ?? 0)) ** 2,
        0,
      );
    const [nearest = 0] = [...adjacent(found.labels, size, speck)].sort((a, b) => distance(a) - distance(b));
    found = numbered(found.labels.map((label) => (label === speck ? nearest : label)));
  }
}

/** Superpixels that touch one of the pixels labelled `wanted` along a side. */
function adjacent(labels: Int32Array, size: number, wanted: number): Set<number> {
  const found = new Set<number>();
  const look = (a: number, b: number) => {
    const [first, second] = [labels[a], labels[b]];
    if (first === wanted && second !== undefined && second !== wanted) found.add(second);
    if (second === wanted && first !== undefined && first !== wanted) found.add(first);
  };
  for (let pixel = 0; pixel < labels.length; pixel++) {
    if (pixel % size < size - 1) look(pixel, pixel + 1);
    if (pixel + size < labels.length) look(pixel, pixel + size);
  }
  return found;
}
