/**
 * SLIC: Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", TPAMI 2012, algorithm 1:
 * k-means of (colour, position) in which a centre only looks around itself. Starting grid, smallest and largest sizes are
 * scikit-image's.
 */
import { toLab } from './lab.ts';
import { numbered, type Segments } from './superpixels.ts';

export interface SlicOptions {
  /** Superpixels, about: they start as a grid of equal squares. */
  readonly segments: number;
  /** Weight of nearness against colour, as a distance in L*a*b*; higher: squarer superpixels. */
  readonly compactness: number;
}

const iterations = 10;
/** Pieces smaller than this share of a mean superpixel go to a neighbour; larger than `largest` they are cut. */
const smallest = 0.5;
const largest = 3;

/** @param pixels sRGB, 0 – 255, `[size, size, 3]`; stretched to the whole range, so that contrast plays no part. */
export function slic(pixels: Uint8Array, size: number, { segments, compactness }: SlicOptions): Segments {
  const lab = toLab(stretched(pixels));
  const centres = gridCentres(size, segments);
  const step = gridStep(size, segments);
  const colours = lab.map((value) => value / compactness);
  let nearest = new Int32Array(size * size);
  for (let iteration = 0; iteration < iterations; iteration++) {
    nearest = assign(colours, size, centres, step);
    move(centres, colours, size, nearest);
  }
  return connect(nearest, size, centres.length);
}

/** 0 – 1 between the smallest and the largest value of all channels. */
function stretched(pixels: Uint8Array): Float64Array {
  const values = Float64Array.from(pixels);
  const low = values.reduce((least, value) => Math.min(least, value), 255);
  const high = values.reduce((most, value) => Math.max(most, value), 0);
  return values.map((value) => (value - low) / (high - low || 1));
}

/** Position in pixels, and the colour over the compactness. */
interface Centre {
  row: number;
  column: number;
  colour: [number, number, number];
}

/** Distance between the squares of a grid of `count` squares. Pixels. */
function gridStep(size: number, count: number): number {
  return Math.max(1, Math.round(Math.sqrt(size ** 2 / count)));
}

/** Centres without a colour: at first only nearness counts. */
function gridCentres(size: number, count: number): Centre[] {
  const start = Math.floor(Math.sqrt(size ** 2 / count) / 2);
  const step = gridStep(size, count);
  const positions = Array.from(
    { length: Math.ceil((size - start) / step) },
    (_, index) => start + index * step,
  );
  return positions.flatMap((row) => positions.map((column): Centre => ({ row, column, colour: [0, 0, 0] })));
}

/** For each pixel the nearest of the centres around: equation 3, squared. */
function assign(
  colours: Float64Array,
  size: number,
  centres: readonly Centre[],
  step: number,
): Int32Array<ArrayBuffer> {
  const nearest = new Int32Array(size * size);
  const distances = new Float64Array(size * size).fill(Number.POSITIVE_INFINITY);
  const reach = 2 * gridStep(size, centres.length);
  for (const [index, { row, column, colour }] of centres.entries()) {
    const lastRow = Math.min(Math.trunc(row + reach + 1), size);
    const lastColumn = Math.min(Math.trunc(column + reach + 1), size);
    for (let y = Math.trunc(Math.max(row - reach, 0)); y < lastRow; y++) {
      for (let x = Math.trunc(Math.max(column - reach, 0)); x < lastColumn; x++) {
        const pixel = y * size + x;
        let distance = ((row - y) ** 2 + (column - x) ** 2) / step ** 2;
        for (let channel = 0; channel < 3; channel++) {
          distance += ((colours[3 * pixel + channel] ?? 0) - (colour[channel] ?? 0)) ** 2;
        }
        if (distance < (distances[pixel] ?? 0)) {
          distances[pixel] = distance;
          nearest[pixel] = index;
        }
      }
    }
  }
  return nearest;
}

/** Moves every centre to the mean of its pixels; one without pixels vanishes. */
function move(centres: Centre[], colours: Float64Array, size: number, nearest: Int32Array): void {
  const sums = centres.map(() => ({
    pixels: 0,
    row: 0,
    column: 0,
    colour: [0, 0, 0] as [number, number, number],
  }));
  for (const [pixel, index] of nearest.entries()) {
    const sum = sums[index];
    if (sum === undefined) continue;
    sum.pixels++;
    sum.row += Math.floor(pixel / size);
    sum.column += pixel % size;
    for (const channel of [0, 1, 2] as const) sum.colour[channel] += colours[3 * pixel + channel] ?? 0;
  }
  for (const [index, { pixels, row, column, colour }] of sums.entries()) {
    const mean = (value: number) => (pixels > 0 ? value / pixels : Number.NaN);
    const [l, a, b] = colour;
    centres[index] = { row: mean(row), column: mean(column), colour: [mean(l), mean(a), mean(b)] };
  }
}

/** Makes every superpixel one connected piece; small pieces go to the neighbour seen last. */
function connect(nearest: Int32Array, size: number, count: number): Segments {
  const mean = size ** 2 / count;
  const most = Math.trunc(largest * mean);
  const labels = new Int32Array(nearest.length).fill(-1);
  let next = 0;
  for (let first = 0; first < nearest.length; first++) {
    if (labels[first] !== -1) continue;
    labels[first] = next;
    const piece = [first];
    let neighbour = -1;
    for (let visited = 0; visited < piece.length && piece.length < most; visited++) {
      for (const pixel of neighbours(piece[visited] ?? 0, size)) {
        const label = labels[pixel] ?? -1;
        if (label === -1 && nearest[pixel] === nearest[first]) {
          labels[pixel] = next;
          piece.push(pixel);
          if (piece.length >= most) break;
        } else if (label !== -1 && label !== next) neighbour = label;
      }
    }
    // A small piece without a neighbour is the image's first: what touches it on its right takes its label, too.
    if (piece.length >= Math.trunc(smallest * mean)) next++;
    else if (neighbour !== -1) for (const pixel of piece) labels[pixel] = neighbour;
  }
  return numbered(labels);
}

/** The pixels at the right, left, below and above. */
function neighbours(pixel: number, size: number): number[] {
  const column = pixel % size;
  return [
    ...(column < size - 1 ? [pixel + 1] : []),
    ...(column > 0 ? [pixel - 1] : []),
    ...(pixel + size < size ** 2 ? [pixel + size] : []),
    ...(pixel >= size ? [pixel - size] : []),
  ];
}
