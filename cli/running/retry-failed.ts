import type { Run } from '@destillml/core/api/run.ts';
import { phaseOf } from '@destillml/core/plan/phases.ts';

/** The Runs, with those that failed or were skipped waiting to be trained again. */
export function withoutFailures(runs: readonly Run[]): Run[] {
  return runs.map((run) => {
    const phase = phaseOf(run);
    return phase === 'Failed' || phase === 'Skipped' ? waitingAgain(run) : run;
  });
}

/** The Run as if it had not ended: its progress and checkpoints stay. */
export function waitingAgain(run: Run): Run {
  const { stop: _stop, ...spec } = run.spec;
  const {
    reason: _reason,
    message: _message,
    completionTime: _time,
    ...status
  } = run.status ?? { phase: 'Waiting', conditions: [] };
  return { ...run, spec: { ...spec, suspend: true }, status: { ...status, phase: 'Waiting' } };
}
