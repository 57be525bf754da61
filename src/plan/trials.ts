import type { Run } from '../api/run.ts';
import { historyStride } from '../protocol/history.ts';
import type { Trial } from '../search/trial.ts';
import { isAtRung, phaseOf } from './phases.ts';

/** A Run of a search as evidence: what it tried, and what was reported of it. */
export function trialOf(run: Run): Trial {
  const { number = 0, values = {} } = run.spec.trial ?? {};
  return {
    number,
    values: Object.fromEntries(
      Object.entries(values).flatMap(([path, value]) => (value === undefined ? [] : [[path, value]])),
    ),
    state: stateOf(run),
    reports: run.metadata.deletionTimestamp === undefined ? reportsOf(run) : [],
  };
}

/** One that is being deleted will be made anew: until it is gone nothing is known of it. */
function stateOf(run: Run): Trial['state'] {
  if (run.metadata.deletionTimestamp !== undefined) return 'running';
  switch (phaseOf(run)) {
    case 'Succeeded':
      return 'succeeded';
    case 'Failed':
      return 'failed';
    case 'Stopped':
    case 'Skipped':
      return 'stopped';
    default:
      return isAtRung(run) ? 'paused' : 'running';
  }
}

/**
 * The best validation accuracy up to an epoch, for all epochs of which the status of a Run tells, ascending: of the
 * history what was kept of it, of rungs and the end exactly.
 */
export function reportsOf({ spec, status }: Run): Trial['reports'] {
  const { history = [], rungs = [], progress, result } = status ?? {};
  const stride = historyStride(spec.parameters.training.epochs);
  const at = new Map(history.map((accuracy, index) => [(index + 1) * stride, accuracy]));
  const reach = (epoch: number, accuracy: number) => at.set(epoch, Math.max(accuracy, at.get(epoch) ?? 0));
  if (progress?.bestValidationAccuracy !== undefined && progress.epoch > 0) {
    reach(progress.epoch, progress.bestValidationAccuracy);
  }
  for (const { epoch, validationAccuracy } of rungs) reach(epoch, validationAccuracy);
  for (const epoch of result === undefined ? [] : [result.bestEpoch, result.epochs]) {
    reach(epoch, result?.validationAccuracy ?? 0);
  }
  let highest = 0;
  return [...at]
    .sort(([a], [b]) => a - b)
    .map(([epoch, value]) => {
      highest = Math.max(highest, value);
      return { epoch, value: highest };
    });
}
