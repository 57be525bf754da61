import { randomOf } from '../../../src/search/random.ts';
import { type Algorithm, suggest } from '../../../src/search/study.ts';
import { bestTrial, type Trial } from '../../../src/search/trial.ts';
import { seen, type TestFunction } from './functions.ts';
import type { Optuna } from './optuna.ts';

export const seeds = 20;
const trialsEach = 100;

export type Regrets = {
  readonly tpe: number;
  readonly optuna: number;
  readonly sobol: number;
  readonly random: number;
  /** That of TPE by Optuna's, and where it lies in 95 of 100 draws of as many seeds from these (a bootstrap). */
  readonly ratio: number;
  readonly interval: readonly [number, number];
};

/** How far the best of 100 trials is from the optimum: the median of 20 seeds. */
export async function regrets(its: TestFunction, optuna: Optuna): Promise<Regrets> {
  const all = { tpe: [] as number[], optuna: [] as number[], sobol: [] as number[], random: [] as number[] };
  for (let seed = 1; seed <= seeds; seed++) {
    all.tpe.push(ourRegret(its, { tpe: { startup: 10 } }, seed));
    all.sobol.push(ourRegret(its, { sobol: {} }, seed));
    all.random.push(ourRegret(its, { random: {} }, seed));
    all.optuna.push(await regretOfOptuna(its, optuna, seed));
  }
  return {
    tpe: median(all.tpe),
    optuna: median(all.optuna),
    sobol: median(all.sobol),
    random: median(all.random),
    ratio: ratioOf(all.tpe, all.optuna),
    interval: intervalOf(all.tpe, all.optuna),
  };
}

function ratioOf(ours: readonly number[], theirs: readonly number[]): number {
  const [tpe, optuna] = [median(ours), median(theirs)];
  if (optuna === 0) return tpe === 0 ? 1 : Number.POSITIVE_INFINITY;
  return tpe / optuna;
}

/** Where their ratio lies in 95 of 100 draws of as many from these (a bootstrap). */
export function intervalOf(ours: readonly number[], theirs: readonly number[]): readonly [number, number] {
  const random = randomOf('bootstrap');
  const redrawn = (values: readonly number[]) =>
    values.map(() => values[Math.floor(random() * values.length)] ?? 0);
  const ratios = Array.from({ length: 2000 }, () => ratioOf(redrawn(ours), redrawn(theirs)));
  ratios.sort((a, b) => a - b);
  return [ratios[50] ?? 0, ratios[1949] ?? 0];
}

function ourRegret(its: TestFunction, algorithm: Algorithm, seed: number): number {
  const study = { name: its.name, seed, space: its.space, epochs: 1, initial: [], algorithm };
  const trials: Trial[] = [];
  for (let number = 1; number <= trialsEach; number++) {
    const values = suggest(study, trials, number);
    if (values === undefined) break;
    const value = -seen(its, values, seed, number);
    trials.push({ number, values, state: 'succeeded', reports: [{ epoch: 1, value }] });
  }
  return regretOf(its, trials);
}

async function regretOfOptuna(its: TestFunction, optuna: Optuna, seed: number): Promise<number> {
  await optuna.open({ seed, space: its.space });
  const trials: Trial[] = [];
  for (let count = 0; count < trialsEach; count++) {
    const { number, values } = await optuna.ask();
    const value = -seen(its, values, seed, number);
    await optuna.tell(number, value);
    trials.push({ number, values, state: 'succeeded', reports: [{ epoch: 1, value }] });
  }
  return regretOf(its, trials);
}

/** Of the trial that seemed best, without noise. */
function regretOf(its: TestFunction, trials: readonly Trial[]): number {
  return its.of(bestTrial(trials)?.values ?? {}) - its.least;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return ((sorted[Math.floor(sorted.length / 2)] ?? 0) + (sorted[Math.ceil(sorted.length / 2) - 1] ?? 0)) / 2;
}
