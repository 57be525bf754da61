import {
  type Dimension,
  edgesOf,
  indexOf,
  nearest,
  type Range,
  sizeOf,
  stepOf,
  type Value,
  valueAt,
} from './dimension.ts';
import { logMassAround, normalMass, truncatedQuantile } from './normal.ts';
import type { Random } from './random.ts';
import type { Space, Values } from './space.ts';

/**
 * A density over some dimensions, estimated from configurations in the order of their numbers: a mixture of a kernel
 * around each of them and one for what is not known, the prior. A kernel is a product over the dimensions.
 *
 * Bergstra et al. 2011 and 2013 with the rules of Optuna 5's multivariate TPE, but for the narrowest kernels. Numbers: a
 * normal distribution truncated to the range (in the logarithm where the scale is one; widened by half a step and
 * integrated over a step where there are steps), as wide as the larger gap to a neighbour, and between the range and a
 * share of it. Discrete values: the same, over their places. Categories: the one that was seen, and a little of each.
 */
export type Parzen = {
  /** Of each kernel; the prior's is the last. They add up to 1. */
  readonly weights: readonly number[];
  readonly factors: readonly Factor[];
};

/** What the kernels are in one dimension. */
export type Factor = NormalFactor | CategoricalFactor;

type NormalFactor = {
  readonly kind: 'normal';
  readonly dimension: Dimension;
  readonly low: number;
  readonly high: number;
  readonly means: Float64Array;
  readonly deviations: Float64Array;
  /** log of the share of each kernel's distribution that lies in the range. */
  readonly logMasses: Float64Array;
  /** For each kernel the first that is like it: where there are steps many are, and need not be measured again. */
  readonly first: Int32Array;
};

type CategoricalFactor = {
  readonly kind: 'categorical';
  readonly dimension: Dimension;
  /** The place of the value that each kernel saw; -1 of the prior's. */
  readonly seen: Int32Array;
  readonly hit: number;
  readonly miss: number;
};

export function parzen(space: Space, observed: readonly Values[], weights: readonly number[]): Parzen {
  const all = [...weights, 1];
  const sum = all.reduce((total, weight) => total + weight, 0);
  return {
    weights: all.map((weight) => weight / sum),
    factors: space.map((dimension) => {
      const values = observed.map((one) => one[dimension.name]);
      return dimension.kind === 'categorical'
        ? categoricalFactor(dimension, values)
        : normalFactor(dimension, values);
    }),
  };
}

/**
 * Ones for the newest 25, a ramp from 1/n to 1 over those before: what was tried long ago counts less.
 * Below 25 all are ones.
 */
export function rampedWeights(count: number): readonly number[] {
  const older = Math.max(count - 25, 0);
  return Array.from({ length: count }, (_, i) => {
    if (i >= older) return 1;
    return older === 1 ? 1 / count : 1 / count + ((1 - 1 / count) * i) / (older - 1);
  });
}

/** Configurations drawn from the density. */
export function draw({ weights, factors }: Parzen, random: Random): Values {
  let kernel = 0;
  for (let left = random() - (weights[0] ?? 1); left >= 0 && kernel < weights.length - 1; ) {
    kernel++;
    left -= weights[kernel] ?? 0;
  }
  return Object.fromEntries(
    factors.map((factor) => [factor.dimension.name, drawFactor(factor, kernel, random())]),
  );
}

/**
 * The logarithms of the density at points. In dimensions with a log scale it is the density of the logarithm, in those
 * with steps and categories the probability.
 */
export function logDensities({ weights, factors }: Parzen, points: readonly Values[]): readonly number[] {
  const constant = Float64Array.from(weights, Math.log);
  for (const factor of factors) {
    if (factor.kind === 'normal') addConstants(constant, factor);
  }
  const kernels = points.map(() => constant.slice());
  for (const factor of factors) {
    const tables = new Map<Value, Float64Array>();
    for (const [i, sums] of kernels.entries()) {
      const value = points[i]?.[factor.dimension.name];
      if (value === undefined) throw new RangeError(`${factor.dimension.name} is missing`);
      if (factor.kind === 'categorical') addCategorical(sums, factor, value);
      else if (widthOf(factor.dimension) === undefined) addNormal(sums, factor, value);
      else {
        const table = tables.get(value) ?? stepMasses(factor, value);
        tables.set(value, table);
        for (let k = 0; k < sums.length; k++) sums[k] = (sums[k] ?? 0) + (table[k] ?? 0);
      }
    }
  }
  return kernels.map(logSumExp);
}

function categoricalFactor(dimension: Dimension, values: readonly (Value | undefined)[]): CategoricalFactor {
  const size = sizeOf(dimension);
  const prior = 1 / (values.length + 1);
  const total = 1 + size * prior;
  return {
    kind: 'categorical',
    dimension,
    seen: Int32Array.from([...values.map((value) => indexOf(dimension, value)), -1]),
    hit: (1 + prior) / total,
    miss: prior / total,
  };
}

function normalFactor(dimension: Dimension, values: readonly (Value | undefined)[]): NormalFactor {
  const { low, high } = rangeOf(dimension);
  const range = high - low;
  const count = values.length;
  const means = new Float64Array(count + 1);
  for (const [i, value] of values.entries()) means[i] = coordinateOf(dimension, value ?? Number.NaN);
  const deviations = new Float64Array(count + 1);
  const first = new Int32Array(count + 1);
  setWidths(deviations, first, means.subarray(0, count), {
    low,
    high,
    narrowest: range / mostKernels(dimension, count),
  });
  means[count] = (low + high) / 2;
  deviations[count] = range;
  first[count] = count;
  const logMasses = new Float64Array(count + 1);
  for (let k = 0; k <= count; k++) {
    const [mean, deviation] = [means[k] ?? 0, deviations[k] ?? range];
    const alike = first[k] ?? k;
    logMasses[k] =
      alike < k
        ? (logMasses[alike] ?? 0)
        : Math.log(normalMass((low - mean) / deviation, (high - mean) / deviation));
  }
  return { kind: 'normal', dimension, means, deviations, logMasses, first, low, high };
}

/**
 * The width of each kernel: the larger of the gaps to both neighbours, the inner one of the first's and last's, or to
 * the end of the range of a lone one; not narrower than a share of the range, nor wider than all of it.
 */
function setWidths(
  deviations: Float64Array,
  first: Int32Array,
  means: Float64Array,
  { low, high, narrowest }: { readonly low: number; readonly high: number; readonly narrowest: number },
): void {
  const sorted = means.toSorted();
  const count = means.length;
  const range = high - low;
  /** Of equal means, how many have been placed; and, by width, which of them was the first. */
  const placed = new Int32Array(count);
  const [begins, narrow, ends] = [new Int32Array(count), new Int32Array(count), new Int32Array(count)];
  for (let k = 0; k < count; k++) {
    const mean = means[k] ?? 0;
    const start = lowerBound(sorted, mean);
    const place = start + (placed[start] ?? 0);
    placed[start] = place - start + 1;
    const toLeft = place > 0 ? mean - (sorted[place - 1] ?? 0) : count === 1 ? mean - low : 0;
    const toRight = place < count - 1 ? (sorted[place + 1] ?? 0) - mean : count === 1 ? high - mean : 0;
    const width = Math.min(Math.max(toLeft, toRight, narrowest), range);
    deviations[k] = width;
    // Equal means have at most three widths: those of the first, the last, and those between.
    const known = width === narrowest ? narrow : place === start ? begins : ends;
    if ((known[start] ?? 0) === 0) known[start] = k + 1;
    first[k] = (known[start] ?? 0) - 1;
  }
}

/**
 * How often the narrowest kernel fits into the range: at most 100 times; with steps as often as there are kernels and one
 * more, which is Optuna's "magic clip"; without them that to the power of 1.5 (Watanabe 2023, the exponent of the clip;
 * with 2 the search more often stays with a category that seemed good early). A tenth of
 * the trials is good, so Optuna's kernels there are wider than a twelfth of the range for a hundred trials: too wide to
 * come near an optimum. With steps narrower ones would hardly leave the value that was seen.
 */
function mostKernels(dimension: Dimension, count: number): number {
  return Math.min(100, (count + 2) ** (widthOf(dimension) === undefined ? 1.5 : 1));
}

/** Where a value stands first in a sorted array that has it. */
function lowerBound(sorted: Float64Array, value: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((sorted[middle] ?? 0) < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

function drawFactor(factor: Factor, kernel: number, share: number): Value {
  const { dimension } = factor;
  if (factor.kind === 'categorical') {
    const size = sizeOf(dimension);
    const seen = factor.seen[kernel] ?? -1;
    if (seen < 0) return valueAt(dimension, Math.min(Math.floor(share * size), size - 1));
    let left = share;
    for (let i = 0; i < size - 1; i++) {
      left -= i === seen ? factor.hit : factor.miss;
      if (left < 0) return valueAt(dimension, i);
    }
    return valueAt(dimension, size - 1);
  }
  const { low, high } = factor;
  const mean = factor.means[kernel] ?? 0;
  const deviation = factor.deviations[kernel] ?? 1;
  const point = truncatedQuantile(share, (low - mean) / deviation, (high - mean) / deviation);
  return valueNear(dimension, mean + deviation * point);
}

/** What of a kernel's logarithm is the same at every point. */
function addConstants(sums: Float64Array, factor: NormalFactor): void {
  const isStepped = widthOf(factor.dimension) !== undefined;
  for (let k = 0; k < sums.length; k++) {
    const height = isStepped ? 0 : Math.log((factor.deviations[k] ?? 1) * Math.sqrt(2 * Math.PI));
    sums[k] = (sums[k] ?? 0) - (factor.logMasses[k] ?? 0) - height;
  }
}

function addCategorical(sums: Float64Array, factor: CategoricalFactor, value: Value): void {
  const index = indexOf(factor.dimension, value);
  const [hit, miss] = [Math.log(factor.hit), Math.log(factor.miss)];
  const last = sums.length - 1;
  for (let k = 0; k < last; k++) sums[k] = (sums[k] ?? 0) + (factor.seen[k] === index ? hit : miss);
  sums[last] = (sums[last] ?? 0) - Math.log(sizeOf(factor.dimension));
}

function addNormal(sums: Float64Array, factor: NormalFactor, value: Value): void {
  const point = coordinateOf(factor.dimension, value);
  const { means, deviations } = factor;
  for (let k = 0; k < sums.length; k++) {
    const distance = (point - (means[k] ?? 0)) / (deviations[k] ?? 1);
    sums[k] = (sums[k] ?? 0) - 0.5 * distance * distance;
  }
}

/** log of the mass of each kernel in the step around a value. */
function stepMasses({ dimension, means, deviations, first }: NormalFactor, value: Value): Float64Array {
  const [left, right] = stepAround(dimension, value);
  const [middle, width] = [(left + right) / 2, right - left];
  const result = new Float64Array(means.length);
  for (let k = 0; k < result.length; k++) {
    const [mean, deviation] = [means[k] ?? 0, deviations[k] ?? 1];
    const alike = first[k] ?? k;
    result[k] =
      alike < k ? (result[alike] ?? 0) : logMassAround((middle - mean) / deviation, width / deviation);
  }
  return result;
}

/** A value as a number that kernels measure distances of: its logarithm, or the place of a discrete one. */
function coordinateOf(dimension: Dimension, value: Value): number {
  if ('values' in dimension) return indexOf(dimension, value);
  return dimension.scale === 'log' ? Math.log(Number(value)) : Number(value);
}

function valueNear(dimension: Dimension, coordinate: number): Value {
  if ('values' in dimension) {
    return valueAt(dimension, Math.min(Math.max(Math.round(coordinate), 0), sizeOf(dimension) - 1));
  }
  return nearest(dimension, dimension.scale === 'log' ? Math.exp(coordinate) : coordinate);
}

function rangeOf(dimension: Dimension): { readonly low: number; readonly high: number } {
  if ('values' in dimension) return { low: -0.5, high: sizeOf(dimension) - 0.5 };
  const { low, high } = edgesOf(dimension);
  return dimension.scale === 'log' ? { low: Math.log(low), high: Math.log(high) } : { low, high };
}

function stepAround(dimension: Dimension, value: Value): readonly [number, number] {
  if ('values' in dimension) {
    const place = indexOf(dimension, value);
    return [place - 0.5, place + 0.5];
  }
  const half = (widthOf(dimension) ?? 0) / 2;
  const number = Number(value);
  if (dimension.scale === 'linear') return [number - half, number + half];
  return [Math.log(Math.max(number - half, edgesOf(dimension).low)), Math.log(number + half)];
}

function widthOf(dimension: Dimension): number | undefined {
  return 'values' in dimension ? 1 : stepOf(dimension as Dimension & Range);
}

function logSumExp(terms: Float64Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const term of terms) if (term > largest) largest = term;
  let sum = 0;
  for (const term of terms) sum += Math.exp(term - largest);
  return largest + Math.log(sum);
}
