import type { RunPhase } from '../api/meta.ts';
import type { Run } from '../api/run.ts';

export function phaseOf(run: Run): RunPhase {
  return run.status?.phase ?? 'Waiting';
}

/** Whether the phase is one that a Run never leaves. */
export function isFinal(phase: RunPhase): boolean {
  switch (phase) {
    case 'Succeeded':
    case 'Failed':
    case 'Stopped':
    case 'Skipped':
      return true;
    case 'Waiting':
    case 'Queued':
    case 'Starting':
    case 'Running':
    case 'Paused':
      return false;
  }
}

/** Whether the Run has ended and stays. One that is being deleted will be made again, so it has not. */
export function hasEnded(run: Run): boolean {
  return isFinal(phaseOf(run)) && !isDeleting(run);
}

/** Whether the Run can still be started, paused or stopped. */
export function isOpen(run: Run): boolean {
  return !isFinal(phaseOf(run)) && !isDeleting(run) && run.spec.stop === undefined;
}

/** Whether the Run was trained as far as it was to be, and is not promoted: it holds nothing and waits for nothing. */
export function isAtRung({ spec: { untilEpoch }, status }: Run): boolean {
  if (status?.phase !== 'Paused' || untilEpoch === undefined) return false;
  return (status.rungs?.at(-1)?.epoch ?? 0) >= untilEpoch;
}

/** Whether the Run has been allowed to train and has not ended, come to its rung, or been told to end. */
export function isActive(run: Run): boolean {
  return isOpen(run) && !run.spec.suspend && !isAtRung(run);
}

/**
 * Whether the Run holds one of the `parallelism` slots.
 *
 * A Run that was paused, stopped or deleted holds its slot until its pod is gone: it still has the GPU.
 */
export function holdsSlot(run: Run): boolean {
  const phase = phaseOf(run);
  return isActive(run) || phase === 'Starting' || phase === 'Running' || isOnItsWayOut(run);
}

/** Whether the Run was paused or stopped after it had its turn, and its status does not tell yet of what came of that. */
function isOnItsWayOut(run: Run): boolean {
  const { suspend, stop } = run.spec;
  const { generation = 1 } = run.metadata;
  const isTold = generation <= (run.status?.observedGeneration ?? 1);
  // One that was never given its turn is stopped while it is suspended.
  return !isFinal(phaseOf(run)) && !isTold && suspend === (stop === undefined);
}

/** Why a Run ended, as `Failed: TrainingDiverged: the loss …`. */
export function outcomeOf(run: Run): string {
  return [phaseOf(run), run.status?.reason, run.status?.message].filter((part) => part).join(': ');
}

function isDeleting(run: Run): boolean {
  return run.metadata.deletionTimestamp !== undefined;
}
