import { type Trial, valueAfter } from './trial.ts';

/**
 * The running trials that the median rule ends, by number: those whose best value is below the median of what the
 * trials that succeeded had reached at the same epoch. It needs `minRuns` of them that had reported by then, and
 * never looks at a trial before it has reported `startEpoch`.
 *
 * The rule of Vizier (Golovin et al. 2017) as Optuna's MedianPruner has it. A tie goes on.
 */
export function medianStops(
  rule: { readonly startEpoch: number; readonly minRuns: number },
  trials: readonly Trial[],
): readonly number[] {
  const finished = trials.filter((trial) => trial.state === 'succeeded');
  if (finished.length < Math.max(rule.minRuns, 1)) return [];
  const medians = new Map<number, number | undefined>();
  const medianAfter = (epoch: number) => {
    if (!medians.has(epoch)) {
      const known = finished.map((trial) => valueAfter(trial, epoch)).filter((value) => value !== undefined);
      medians.set(epoch, known.length < rule.minRuns ? undefined : median(known));
    }
    return medians.get(epoch);
  };
  return trials
    .filter((trial) => {
      const last = trial.reports.at(-1);
      if (trial.state !== 'running' || last === undefined || last.epoch < rule.startEpoch) return false;
      const bar = medianAfter(last.epoch);
      return bar !== undefined && last.value < bar;
    })
    .map((trial) => trial.number)
    .sort((a, b) => a - b);
}

/** Undefined of no values; the mean of the middle two of an even number. */
function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}
