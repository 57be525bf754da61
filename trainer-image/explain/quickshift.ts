/**
 * Quickshift: Vedaldi and Soatto, "Quick Shift and Kernel Methods for Mode Seeking", ECCV 2008: every pixel points to the
 * nearest one of higher density in (colour, position), and what ends at one pixel is a superpixel. As in scikit-image.
 */
import { uniform } from '../nn/random.ts';
import { toLab } from './lab.ts';
import { numbered, type Segments } from './superpixels.ts';

export interface QuickshiftOptions {
  /** σ of the density's Gaussian; it looks 3 σ far. Pixels; higher: fewer superpixels. */
  readonly kernelSize: number;
  /** A pixel further than this from a denser one is a root. Pixels; higher: fewer superpixels. */
  readonly maxDistance: number;
  /** Pixels for each unit of L*a*b*; higher: colours count more. */
  readonly ratio: number;
}

/** @param pixels sRGB, 0 – 255, `[size, size, 3]`. */
export function quickshift(pixels: Uint8Array, size: number, options: QuickshiftOptions): Segments {
  const { kernelSize, maxDistance, ratio } = options;
  const points = toLab(Float64Array.from(pixels, (byte) => byte / 255)).map((value) => value * ratio);
  const reach = Math.ceil(3 * kernelSize);
  const densities = new Float64Array(size * size);
  forPairs(points, size, reach, (pixel, _, squared) => {
    densities[pixel] = (densities[pixel] ?? 0) + Math.exp((-0.5 * squared) / kernelSize ** 2);
  });
  // Pixels of one flat area are equally dense: a hair of noise decides which of them are roots.
  for (let pixel = 0; pixel < densities.length; pixel++) {
    densities[pixel] = (densities[pixel] ?? 0) + 1e-5 * uniform(quickshiftStream, pixel);
  }

  const parents = Int32Array.from(densities.keys());
  const closest = new Float64Array(size * size).fill(maxDistance ** 2);
  forPairs(points, size, reach, (pixel, other, squared) => {
    if ((densities[other] ?? 0) <= (densities[pixel] ?? 0) || squared > (closest[pixel] ?? 0)) return;
    // Of equally near ones the first.
    if (parents[pixel] !== pixel && squared === closest[pixel]) return;
    closest[pixel] = squared;
    parents[pixel] = other;
  });
  return numbered(parents.map((_, pixel) => rootOf(parents, pixel)));
}

const quickshiftStream = 0x71_73;

function rootOf(parents: Int32Array, pixel: number): number {
  let root = pixel;
  for (let parent = parents[root] ?? root; parent !== root; parent = parents[root] ?? root) root = parent;
  return root;
}

/** Calls `visit` for every pixel and every pixel in the square of `reach` around it, with their squared distance. */
function forPairs(
  points: Float64Array,
  size: number,
  reach: number,
  visit: (pixel: number, other: number, squared: number) => void,
): void {
  for (let pixel = 0; pixel < size * size; pixel++) {
    const row = Math.floor(pixel / size);
    const column = pixel % size;
    for (let y = Math.max(0, row - reach); y <= Math.min(size - 1, row + reach); y++) {
      for (let x = Math.max(0, column - reach); x <= Math.min(size - 1, column + reach); x++) {
        const other = y * size + x;
        let squared = (row - y) ** 2 + (column - x) ** 2;
        for (let channel = 0; channel < 3; channel++) {
          squared += ((points[3 * pixel + channel] ?? 0) - (points[3 * other + channel] ?? 0)) ** 2;
        }
        visit(pixel, other, squared);
      }
    }
  }
}
