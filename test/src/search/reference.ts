import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dimension } from '../../../src/search/dimension.ts';
import type { Values } from '../../../src/search/space.ts';
import type { Trial } from '../../../src/search/trial.ts';

/** What Optuna, SciPy and mpmath computed: test/reference/search.py. */
export const reference = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/search.json'), 'utf8'),
) as {
  readonly densities: readonly {
    readonly names: readonly string[];
    readonly observed: readonly Values[];
    readonly weights: readonly number[];
    readonly deviations: Readonly<Record<string, readonly number[]>>;
    readonly points: readonly Values[];
    readonly logDensities: readonly number[];
  }[];
  readonly splits: readonly {
    readonly trials: readonly Trial[];
    readonly below: readonly number[];
    readonly above: readonly number[];
  }[];
  readonly medians: readonly { readonly trials: readonly Trial[]; readonly stops: readonly number[] }[];
  readonly sobol: readonly (readonly number[])[];
  readonly masses: readonly { readonly from: number; readonly to: number; readonly mass: number }[];
};

/** The dimensions of that script, by name. */
export const dimensions: Readonly<Record<string, Dimension>> = Object.fromEntries(
  (
    [
      { name: 'double', kind: 'double', min: -5, max: 10, scale: 'linear' },
      { name: 'log', kind: 'double', min: 1e-5, max: 1, scale: 'log' },
      { name: 'stepped', kind: 'double', min: 0, max: 0.9, scale: 'linear', step: 0.05 },
      { name: 'integer', kind: 'integer', min: 1, max: 12, scale: 'linear' },
      { name: 'even', kind: 'integer', min: 2, max: 20, scale: 'linear', step: 2 },
      { name: 'powers', kind: 'integer', min: 1, max: 256, scale: 'log' },
      { name: 'category', kind: 'categorical', values: ['relu', 'gelu', 'tanh'] },
    ] satisfies Dimension[]
  ).map((dimension) => [dimension.name, dimension]),
);
