import { onGrid, rounded } from './rounding.ts';

export type Value = number | string | boolean;

/** One parameter that is searched. */
export type Dimension = {
  readonly name: string;
  /** It exists only where that categorical dimension has that value. */
  readonly when?: { readonly name: string; readonly is: string | boolean } | undefined;
} & (
  | ({ readonly kind: 'double' | 'integer' } & Range)
  /** Numbers in order. */
  | { readonly kind: 'discrete'; readonly values: readonly number[] }
  | { readonly kind: 'categorical'; readonly values: readonly (string | boolean)[] }
);

export type Range = {
  readonly min: number;
  readonly max: number;
  readonly scale: 'linear' | 'log';
  /** An integer without one has step 1. */
  readonly step?: number | undefined;
};

/** How many values it has: Infinity for a double without a step. */
export function sizeOf(dimension: Dimension): number {
  if ('values' in dimension) return dimension.values.length;
  const step = stepOf(dimension);
  return step === undefined
    ? Number.POSITIVE_INFINITY
    : Math.floor((dimension.max - dimension.min) / step + 1e-9) + 1;
}

/** The distance of neighbours; undefined for a double without a step. */
export function stepOf(dimension: Dimension & Range): number | undefined {
  return dimension.step ?? (dimension.kind === 'integer' ? 1 : undefined);
}

/** The value at a place, from 0, of a dimension that has finitely many. */
export function valueAt(dimension: Dimension, index: number): Value {
  if ('values' in dimension) {
    const value = dimension.values[index];
    if (value === undefined) throw new RangeError(`${dimension.name} has no value ${index}`);
    return value;
  }
  return onGrid(dimension.min, stepOf(dimension) ?? Number.NaN, index);
}

/** The place of a value; -1 where the dimension does not have it. */
export function indexOf(dimension: Dimension, value: Value | undefined): number {
  if ('values' in dimension) return (dimension.values as readonly Value[]).indexOf(value ?? '');
  const step = stepOf(dimension);
  if (typeof value !== 'number' || step === undefined) return -1;
  const index = Math.round((value - dimension.min) / step);
  const isThere = index >= 0 && index < sizeOf(dimension) && valueAt(dimension, index) === value;
  return isThere ? index : -1;
}

/** Whether a trial with this value says something about the dimension as it is now: its step may have changed. */
export function contains(dimension: Dimension, value: Value | undefined): boolean {
  if ('values' in dimension) return indexOf(dimension, value) >= 0;
  return typeof value === 'number' && value >= dimension.min && value <= dimension.max;
}

/** What stands at a share of [0, 1) of the dimension: evenly, or evenly in the logarithm. */
export function valueFrom(dimension: Dimension, share: number): Value {
  const size = sizeOf(dimension);
  if ('values' in dimension) return valueAt(dimension, Math.min(Math.floor(share * size), size - 1));
  const { low, high } = edgesOf(dimension);
  const log = dimension.scale === 'log';
  const value = log
    ? Math.exp(Math.log(low) + share * (Math.log(high) - Math.log(low)))
    : low + share * (high - low);
  return nearest(dimension, value);
}

/** The value of a numeric dimension that is nearest to a number. */
export function nearest(dimension: Dimension & Range, value: number): number {
  const step = stepOf(dimension);
  if (step === undefined) return rounded(value, dimension);
  const index = Math.round((value - dimension.min) / step);
  return onGrid(dimension.min, step, Math.min(Math.max(index, 0), sizeOf(dimension) - 1));
}

/**
 * Where the range begins and ends: half a step before its first value and after its last, so that each value stands
 * for as much of the range as any other. With a logarithm it begins above zero.
 */
export function edgesOf(dimension: Dimension & Range): { readonly low: number; readonly high: number } {
  const { min, max } = dimension;
  const step = stepOf(dimension);
  if (step === undefined) return { low: min, high: max };
  const last = onGrid(min, step, sizeOf(dimension) - 1);
  const low = min - step / 2;
  return { low: dimension.scale === 'log' ? Math.max(low, min / 2) : low, high: last + step / 2 };
}
