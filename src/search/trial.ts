import type { Values } from './space.ts';

/** One configuration that was tried, or is. */
export type Trial = {
  /** From 1. */
  readonly number: number;
  readonly values: Values;
  /**
   * Paused: it ended at a rung and has not been promoted. Once it was, it is running, whether or not it waits for a
   * slot. Stopped: by the median rule or a limit.
   */
  readonly state: 'running' | 'paused' | 'succeeded' | 'stopped' | 'failed';
  /** The best validation accuracy so far, by epoch ascending. May have gaps, may be empty. */
  readonly reports: readonly Report[];
};

export type Report = { readonly epoch: number; readonly value: number };

/** The trial of the highest value that was reported, the lowest number among equals. Failed ones are never it. */
export function bestTrial(trials: readonly Trial[]): Trial | undefined {
  let best: Trial | undefined;
  for (const trial of trials) {
    const value = highest(trial);
    if (trial.state === 'failed' || value === undefined) continue;
    const before = best === undefined ? undefined : highest(best);
    if (
      best === undefined ||
      before === undefined ||
      value > before ||
      (value === before && trial.number < best.number)
    ) {
      best = trial;
    }
  }
  return best;
}

/** The best that was known after an epoch; undefined where nothing was reported by then. */
export function valueAfter(trial: Trial, epoch: number): number | undefined {
  return trial.reports.findLast((report) => report.epoch <= epoch)?.value;
}

function highest(trial: Trial): number | undefined {
  return trial.reports.at(-1)?.value;
}
