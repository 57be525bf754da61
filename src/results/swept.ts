import type { SweptValues } from '../api/sweepable.ts';

/** The paths that any of these set, in the order in which they come. */
export function pathsOf(all: readonly SweptValues[]): readonly string[] {
  return [...new Set(all.flatMap((values) => Object.keys(values)))];
}

/** A value with the digits that tell it from others: `0.1032`, `1e-5`; whether with an augmentation as `yes` and `no`. */
export function formatValue(value: number | boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(Number(value.toPrecision(6)));
}
