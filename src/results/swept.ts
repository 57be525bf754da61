import type { SweptValues } from '../api/sweepable.ts';

/** What stands for a path where there is little room: as many of its last parts as tell it from the others. */
export function shortNames(paths: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    paths.map((path) => {
      const parts = path.split('.');
      const names = parts.map((_, index) => parts.slice(-1 - index).join('.'));
      const isAlone = (name: string) =>
        paths.every((other) => other === path || (other !== name && !other.endsWith(`.${name}`)));
      return [path, names.find(isAlone) ?? path];
    }),
  );
}

/** The paths that any of these set, in the order in which they come. */
export function pathsOf(all: readonly SweptValues[]): readonly string[] {
  return [...new Set(all.flatMap((values) => Object.keys(values)))];
}

/** A value with the digits that tell it from others: `0.1032`, `1e-5`; whether with an augmentation as `yes` and `no`. */
export function formatValue(value: number | boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(Number(value.toPrecision(6)));
}
