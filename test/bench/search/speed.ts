import type { Space } from '../../../src/search/space.ts';
import { type Study, suggest } from '../../../src/search/study.ts';
import type { Trial } from '../../../src/search/trial.ts';
import type { Optuna } from './optuna.ts';

export const sizes = [100, 1000, 5000, 10_000];
const [ours, theirs] = [200, 40];

/** Milliseconds that half of the suggestions take at most, and 99 of 100. */
export type Times = { readonly p50: number; readonly p99: number };

/** Ten parameters of all kinds. */
const space: Space = [
  { name: 'rate', kind: 'double', min: 1e-5, max: 1, scale: 'log' },
  { name: 'decay', kind: 'double', min: 1e-6, max: 1e-2, scale: 'log' },
  { name: 'momentum', kind: 'double', min: 0, max: 1, scale: 'linear' },
  { name: 'weight', kind: 'double', min: 0, max: 1, scale: 'linear', step: 0.05 },
  { name: 'temperature', kind: 'double', min: 1, max: 20, scale: 'linear' },
  { name: 'batch', kind: 'integer', min: 8, max: 512, scale: 'log' },
  { name: 'layers', kind: 'integer', min: 1, max: 50, scale: 'linear' },
  { name: 'warmup', kind: 'integer', min: 0, max: 1000, scale: 'linear' },
  { name: 'schedule', kind: 'categorical', values: ['constant', 'step', 'cosine'] },
  { name: 'mixup', kind: 'categorical', values: [true, false] },
];

/** `cpu` is what a suggestion took of a processor: a machine that does other things, too, lets it wait besides. */
export async function times(
  size: number,
  optuna: Optuna,
): Promise<{ tpe: Times; cpu: Times; optuna: Times }> {
  const trials = trialsOf(size);
  await optuna.open({ seed: 1, space });
  const own = ourTimes(trials);
  return {
    tpe: quantiles(own.map(({ wall }) => wall)),
    cpu: quantiles(own.map(({ cpu }) => cpu)),
    optuna: quantiles(await optuna.time(trials, theirs)),
  };
}

function ourTimes(trials: readonly Trial[]): readonly { readonly wall: number; readonly cpu: number }[] {
  const study = studyOf({ tpe: { startup: 10 } });
  // The compiler has seen the code before it is measured, as in an operator that has been up for a while.
  for (let i = 1; i <= 20; i++) suggest(study, trials, trials.length + 1000 + i);
  return Array.from({ length: ours }, (_, i) => {
    const before = process.threadCpuUsage();
    const start = performance.now();
    suggest(study, trials, trials.length + 1 + i);
    const wall = performance.now() - start;
    const { user, system } = process.threadCpuUsage(before);
    return { wall, cpu: (user + system) / 1000 };
  });
}

/** Random trials, of which those near a point are good. */
function trialsOf(size: number): readonly Trial[] {
  const study = studyOf({ random: {} });
  return Array.from({ length: size }, (_, i) => {
    const values = suggest(study, [], i + 1) ?? {};
    const value = -Math.abs(Math.log10(Number(values.rate)) + 2) - Math.abs(Number(values.momentum) - 0.9);
    const reports = Array.from({ length: 20 }, (_, epoch) => ({
      epoch: epoch + 1,
      value: value - 1 / (epoch + 1),
    }));
    return { number: i + 1, values, state: 'succeeded', reports };
  });
}

function studyOf(algorithm: Study['algorithm']): Study {
  return { name: 'speed', seed: 1, space, epochs: 20, initial: [], algorithm };
}

function quantiles(milliseconds: readonly number[]): Times {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}
