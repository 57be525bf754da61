/**
 * How much each parameter decided whether a trial was among the best: PED-ANOVA (Watanabe et al. 2023, "PED-ANOVA:
 * Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces", arXiv 2304.10255), for parameters that not
 * every trial has as in "Conditional PED-ANOVA" (arXiv 2601.20800, algorithm 1), both as Optuna 5 has them.
 */
import type { Sweep } from '../api/sweep.ts';
import type { SweptValues } from '../api/sweepable.ts';
import { normalMass } from '../search/normal.ts';
import { counts, type Trial } from './trials.ts';

type Parameter = Sweep['parameters'][number];

/** What a trial set, and what it came to. */
export interface Observation {
  readonly values: SweptValues;
  readonly validationAccuracy: number;
}

/** Share of the trials that are the best. */
const quantile = 0.1;
/** Cells that a continuous range is divided into. */
const mostCells = 50;
/** Weight of the prior against that of a trial. */
const priorWeight = 1;
/** Keeps a ratio of densities finite. */
const leastDensity = 1e-12;

/**
 * The importance of each parameter that any trial set, the most important first; together 1. Empty where the best tenth
 * is told from the others by nothing.
 */
export function importances(
  parameters: readonly Parameter[],
  trials: readonly Trial[],
): readonly (readonly [path: string, share: number])[] {
  const known = trials.filter(counts);
  const raw = pedAnova(parameters, known);
  const sum = raw.reduce((total, [, value]) => total + value, 0);
  if (!(sum > 0)) return [];
  return raw.map(([path, value]) => [path, value / sum] as const).sort(([, a], [, b]) => b - a);
}

/** The best tenth, and all that are as good as the last of it. */
export function bestTenth<T extends Pick<Observation, 'validationAccuracy'>>(
  all: readonly T[],
): readonly T[] {
  const ranked = all.toSorted((a, b) => b.validationAccuracy - a.validationAccuracy);
  const last = ranked[Math.ceil(quantile * ranked.length) - 1];
  return last === undefined
    ? []
    : all.filter(({ validationAccuracy }) => validationAccuracy >= last.validationAccuracy);
}

/** Pearson's divergence of the best tenth from all, for each parameter that any of them set. */
export function pedAnova(
  parameters: readonly Parameter[],
  all: readonly Observation[],
): readonly (readonly [path: string, value: number])[] {
  const best = new Set(bestTenth(all));
  return parameters.flatMap((parameter) => {
    const having = all.filter(({ values }) => values[parameter.name] !== undefined);
    return having.length === 0
      ? []
      : [[parameter.name, divergence(parameter, having, best, all.length)] as const];
  });
}

function divergence(
  parameter: Parameter,
  having: readonly Observation[],
  best: ReadonlySet<Observation>,
  trials: number,
): number {
  const cells = cellsOf(parameter);
  const top = having.filter((observation) => best.has(observation));
  // Of one trial alone nothing can be said.
  if (cells.count < 2 || having.length < 2 || top.length === 0) return 0;
  const density = (of: readonly Observation[]) =>
    densityOf(
      cells,
      of.flatMap(({ values }) => values[parameter.name] ?? []),
    ).map((value) => value + leastDensity);
  const local = density(having);
  const ratio = density(top);
  const pearson = local.reduce((sum, value, cell) => sum + value * ((ratio[cell] ?? 0) / value - 1) ** 2, 0);
  const shareOfBest = top.length / best.size;
  return (best.size / trials) ** 2 * (shareOfBest ** 2 / (having.length / trials)) * pearson;
}

interface Cells {
  readonly count: number;
  readonly ordered: boolean;
  readonly of: (value: number | boolean) => number;
}

function cellsOf({ double, integer, discrete }: Parameter): Cells {
  if (discrete)
    return { count: discrete.length, ordered: false, of: (value) => discrete.indexOf(Number(value)) };
  const range = double ?? integer;
  if (range === undefined) return { count: 2, ordered: false, of: Number };
  const { min, max, scale } = range;
  const log = scale === 'log';
  const [low, high] = log ? [Math.log(min), Math.log(max)] : [min, max];
  const step = range.step ?? (integer && !log ? 1 : undefined);
  const steps = step === undefined ? mostCells : Math.round((max - min) / step) + 1;
  const count = Math.min(mostCells, integer && log ? Math.ceil(Math.log2(max - min + 1)) + 1 : steps);
  const width = (high - low) / (count - 1);
  const of = (value: number | boolean) => {
    const at = log ? Math.log(Number(value)) : Number(value);
    return Math.min(count - 1, Math.max(0, Math.ceil((at - low) / width - 0.5)));
  };
  return { count, ordered: true, of };
}

/** A Parzen estimate over the cells, with a prior that is the same everywhere, or a wide bell in the middle. */
function densityOf(cells: Cells, values: readonly (number | boolean)[]): readonly number[] {
  const counted = Array<number>(cells.count).fill(0);
  for (const value of values) counted[cells.of(value)] = (counted[cells.of(value)] ?? 0) + 1;
  const seen = [...counted.keys()].filter((cell) => (counted[cell] ?? 0) > 0);
  const kernels = seen.map((cell) => ({ cell, weight: counted[cell] ?? 0 }));
  return cells.ordered ? ordinal(cells.count, kernels) : categorical(cells.count, kernels);
}

interface Kernel {
  readonly cell: number;
  readonly weight: number;
}

function categorical(count: number, kernels: readonly Kernel[]): readonly number[] {
  const share = priorWeight / (kernels.length + 1);
  const total = kernels.reduce((sum, { weight }) => sum + weight, priorWeight);
  return Array.from({ length: count }, (_, cell) =>
    kernels.reduce(
      (sum, kernel) =>
        sum + (kernel.weight / total) * (((kernel.cell === cell ? 1 : 0) + share) / (1 + count * share)),
      priorWeight / total / count,
    ),
  );
}

function ordinal(count: number, kernels: readonly Kernel[]): readonly number[] {
  const sigma = bandwidth(kernels);
  const total = kernels.reduce((sum, { weight }) => sum + weight, priorWeight);
  const prior = { cell: (count - 1) / 2, weight: priorWeight, sigma: count };
  const bells = [...kernels.map((kernel) => ({ ...kernel, sigma })), prior];
  const densities = Array<number>(count).fill(0);
  for (const { cell: middle, weight, sigma: width } of bells) {
    const mass = normalMass((-0.5 - middle) / width, (count - 0.5 - middle) / width);
    for (let cell = 0; cell < count; cell++) {
      const own = normalMass((cell - 0.5 - middle) / width, (cell + 0.5 - middle) / width);
      densities[cell] = (densities[cell] ?? 0) + ((weight / total) * own) / mass;
    }
  }
  return densities;
}

/** Scott's rule (1992), at least so wide that nine tenths of a bell lie in its cell. */
function bandwidth(kernels: readonly Kernel[]): number {
  const total = kernels.reduce((sum, { weight }) => sum + weight, 0);
  const mean = kernels.reduce((sum, { cell, weight }) => sum + cell * weight, 0) / total;
  const squares = kernels.reduce((sum, { cell, weight }) => sum + weight * (cell - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / Math.max(1, total - 1));
  const upTo = (index: number) => kernels.slice(0, index + 1).reduce((sum, { weight }) => sum + weight, 0);
  const cells = [...kernels.keys()];
  const first = cells.find((index) => upTo(index) >= Math.floor(total / 4)) ?? 0;
  const third = cells.find((index) => upTo(index) > Math.floor((3 * total) / 4)) ?? kernels.length - 1;
  const between = (kernels[third]?.cell ?? 0) - (kernels[first]?.cell ?? 0);
  return Math.max(1.059 * Math.min(between / 1.34, deviation) * total ** -0.2, 0.5 / 1.64);
}
