import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomOf } from '../../../src/search/random.ts';
import type { Values } from '../../../src/search/space.ts';
import { firstUntil, nextPromotion, type Study, standingsOf } from '../../../src/search/study.ts';
import type { Trial } from '../../../src/search/trial.ts';
import type { Optuna } from './optuna.ts';

/** Validation accuracy by epoch, of trainings with different values, as they were recorded. */
export type Curves = readonly { readonly values: Values; readonly validationAccuracy: readonly number[] }[];

const recorded = join(import.meta.dirname, '../../fixtures/learning-curves.json');
const [minEpochs, eta] = [1, 3];

/** Undefined where none were recorded. */
export function readCurves(file = recorded): Curves | undefined {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).curves : undefined;
}

/** Decides what is trained; asked by simulated workers, each of which trains an epoch at a time. */
type Scheduler = {
  /** The curve that a worker is to train next, and the epochs that it has been trained already. */
  readonly next: () => Promise<Job | undefined>;
  /** Tells the best accuracy so far. Whether the worker goes on with the trial. */
  readonly report: (number: number, epoch: number, value: number) => Promise<boolean>;
};

type Job = { readonly number: number; readonly trained: number };

/**
 * Epochs that are trained, by all workers together, until one has reached 99 % of the best accuracy of all curves.
 * Infinity where nothing is left to train before. Trial i trains the i-th curve of an order that the seed gives.
 */
export async function epochsToGoal(
  curves: Curves,
  seed: number,
  workers: number,
  scheduler: Scheduler,
): Promise<number> {
  const order = shuffled(curves, seed);
  const goal = 0.99 * Math.max(...curves.flatMap(({ validationAccuracy }) => validationAccuracy));
  const jobs: (Job | undefined)[] = Array.from({ length: workers }, () => undefined);
  for (let spent = 0; ; ) {
    const before = spent;
    for (let worker = 0; worker < workers; worker++) {
      const job = jobs[worker] ?? (await scheduler.next());
      if (job === undefined) continue;
      spent++;
      const epoch = job.trained + 1;
      const curve = order[job.number - 1]?.validationAccuracy ?? [];
      const best = Math.max(...curve.slice(0, epoch));
      if (best >= goal) return spent;
      const goesOn = await scheduler.report(job.number, epoch, best);
      jobs[worker] = goesOn ? { ...job, trained: epoch } : undefined;
    }
    if (spent === before) return Number.POSITIVE_INFINITY;
  }
}

/** ASHA as the operator runs it: promoted trials go on where they paused. */
export function ourAsha(curves: Curves): Scheduler {
  const epochs = curves[0]?.validationAccuracy.length ?? 0;
  const asha = { minEpochs, eta, brackets: 1, sampler: 'random' } as const;
  const study: Study = { name: 'curves', seed: 1, space: [], epochs, initial: [], algorithm: { asha } };
  const trials: Trial[] = [];
  const until = new Map<number, number>();
  return {
    async next() {
      const promoted = nextPromotion(study, [standingsOf(study, trials)]);
      const number = promoted?.number ?? trials.length + 1;
      if (number > curves.length) return undefined;
      const before = trials[number - 1];
      trials[number - 1] = { number, values: {}, state: 'running', reports: before?.reports ?? [] };
      until.set(number, promoted?.untilEpoch ?? firstUntil(study, number));
      return { number, trained: before?.reports.at(-1)?.epoch ?? 0 };
    },
    async report(number, epoch, value) {
      const before = trials[number - 1];
      if (before === undefined) throw new Error(`no trial ${number}`);
      const goesOn = epoch < (until.get(number) ?? 0);
      const state = goesOn ? 'running' : epoch === epochs ? 'succeeded' : 'paused';
      trials[number - 1] = { ...before, state, reports: [...before.reports, { epoch, value }] };
      return goesOn;
    },
  };
}

/** Optuna's SuccessiveHalvingPruner, which stops trials and never takes them up again. */
export async function halvingOfOptuna(curves: Curves, optuna: Optuna, seed: number): Promise<Scheduler> {
  const epochs = curves[0]?.validationAccuracy.length ?? 0;
  await optuna.open({ seed, space: [], rungs: [minEpochs, eta] });
  return {
    async next() {
      const { number } = await optuna.ask();
      return number > curves.length ? undefined : { number, trained: 0 };
    },
    async report(number, epoch, value) {
      const isPruned = await optuna.report(number, epoch, value);
      if (epoch === epochs) await optuna.tell(number, value);
      else if (isPruned) await optuna.prune(number);
      return epoch < epochs && !isPruned;
    },
  };
}

/** Each curve to its end. */
export function allToTheEnd(curves: Curves): Scheduler {
  const epochs = curves[0]?.validationAccuracy.length ?? 0;
  let last = 0;
  return {
    async next() {
      last++;
      return last > curves.length ? undefined : { number: last, trained: 0 };
    },
    async report(_number, epoch) {
      return epoch < epochs;
    },
  };
}

function shuffled(curves: Curves, seed: number): Curves {
  const random = randomOf('order', seed);
  return curves
    .map((curve) => ({ curve, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ curve }) => curve);
}
