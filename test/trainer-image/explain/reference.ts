/** The cases of test/reference/explain.py, and what it takes to compute them here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import type { ModelName } from '@destillml/core/api/models.ts';
import type { Masks } from '@destillml/trainer/explain/least-squares.ts';
import type { ExplainedNetwork } from '@destillml/trainer/explain/subject.ts';
import type { Segments } from '@destillml/trainer/explain/superpixels.ts';
import { type Case, classes, filledImages, filledNetwork } from '../models/reference.ts';

interface Quantised {
  readonly low: number;
  readonly high: number;
  /** 16-bit integers, each less the one before, compressed by zlib, as base64. */
  readonly values: string;
}

interface PackedMasks {
  readonly rows: number;
  readonly columns: number;
  readonly bits: string;
}

interface Document {
  readonly gradCam: readonly {
    readonly name: ModelName;
    readonly imageSize: number;
    readonly batch: number;
    readonly salt: number;
    readonly targets: readonly number[];
    readonly stages: readonly {
      readonly norm: number;
      readonly projection: number;
      /** Of the first image. */
      readonly map?: Quantised;
    }[];
  }[];
  readonly lime: readonly {
    readonly name: ModelName;
    readonly salt: number;
    readonly side: number;
    readonly target: number;
    readonly masks: PackedMasks;
    readonly coefficients: readonly number[];
    readonly intercept: number;
    readonly r2: number;
  }[];
  readonly kernelShap: readonly {
    readonly name: ModelName;
    readonly salt: number;
    readonly segments: string;
    readonly players: number;
    readonly target: number;
    readonly background: readonly number[];
    readonly empty: number;
    readonly full: number;
    readonly exact: readonly number[];
    readonly samples: number;
    readonly shap: readonly number[];
  }[];
  readonly expectedGradients: readonly {
    readonly name: ModelName;
    readonly salt: number;
    readonly backgrounds: number;
    readonly samples: number;
    readonly target: number;
    readonly difference: number;
    readonly exact: Quantised;
    readonly shap: Quantised;
    readonly shapError: number;
  }[];
  readonly segmentation: readonly {
    readonly imageSize: number;
    readonly slic: string;
    readonly quickshift: string;
    readonly pixelSum: number;
    readonly quickshiftAlike: number;
    readonly randIndex: number;
  }[];
  readonly rankCorrelations: readonly {
    readonly a: readonly number[];
    readonly b: readonly number[];
    readonly spearman: number;
  }[];
}

export const fixtures = join(import.meta.dirname, '../../fixtures');
export const reference: Document = JSON.parse(readFileSync(join(fixtures, 'explain.json'), 'utf8'));

export function valuesOf({ low, high, values }: Quantised): Float64Array {
  const bytes = inflateSync(Buffer.from(values, 'base64'));
  let step = 0;
  return Float64Array.from({ length: bytes.length / 2 }, (_, index) => {
    step = (step + bytes.readUInt16LE(2 * index)) % 65536;
    return low + ((high - low) * step) / 65535;
  });
}

export function masksOf({ rows, columns, bits }: PackedMasks): Masks {
  const bytes = Buffer.from(bits, 'base64');
  const values = Uint8Array.from(
    { length: rows * columns },
    (_, index) => (bytes[Math.floor(index / 8)]! >> (7 - (index % 8))) & 1,
  );
  return { rows, columns, values };
}

export function segmentsOf(compressed: string): Segments {
  const labels = Int32Array.from(inflateSync(Buffer.from(compressed, 'base64')));
  return { labels, count: Math.max(...labels) + 1 };
}

/** `side` × `side` squares of an image of 32 px, numbered row by row. */
export function grid(side: number, size = 32): Segments {
  const cell = (position: number) => Math.floor((position * side) / size);
  const labels = Int32Array.from(
    { length: size * size },
    (_, pixel) => cell(Math.floor(pixel / size)) * side + cell(pixel % size),
  );
  return { labels, count: side * side };
}

type Which = Pick<Case, 'name' | 'imageSize'>;

/** The network of a case, with the weights that the script gives it. */
export function filledExplained({ name, imageSize }: Which): ExplainedNetwork {
  return {
    name,
    model: name,
    classes,
    imageSize,
    open: () => filledNetwork({ name, imageSize } as Case),
  };
}

/** The images of a case, `[size, size, 3]` each. */
export function imagesOf(given: Pick<Case, 'imageSize' | 'batch' | 'salt'>): Float32Array[] {
  const images = filledImages(given as Case);
  const values = Float32Array.from(images.dataSync());
  images.dispose();
  const length = values.length / given.batch;
  return Array.from({ length: given.batch }, (_, index) =>
    values.slice(index * length, (index + 1) * length),
  );
}

/** Largest difference, as a share of the largest expected size. */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [difference, scale] = [0, 0];
  for (let index = 0; index < expected.length; index++) {
    difference = Math.max(difference, Math.abs(found[index]! - expected[index]!));
    scale = Math.max(scale, Math.abs(expected[index]!));
  }
  return scale === 0 ? difference : difference / scale;
}

/** ‖found − expected‖ / ‖expected‖. */
export function distance(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [squares, scale] = [0, 0];
  for (let index = 0; index < expected.length; index++) {
    squares += (found[index]! - expected[index]!) ** 2;
    scale += expected[index]! ** 2;
  }
  return Math.sqrt(squares / scale);
}

/** Adjusted Rand index of two divisions (Hubert and Arabie 1985): 1 if they are the same, 0 if unrelated. */
export function adjustedRandIndex(a: Int32Array, b: Int32Array): number {
  const pairs = (count: number) => (count * (count - 1)) / 2;
  const sum = (keys: Iterable<string | number>) => {
    const counts = new Map<string | number, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    return [...counts.values()].reduce((total, count) => total + pairs(count), 0);
  };
  const together = sum([...a].map((label, index) => `${label} ${b[index]}`));
  const [first, second] = [sum(a), sum(b)];
  const expected = (first * second) / pairs(a.length);
  return (together - expected) / ((first + second) / 2 - expected);
}
