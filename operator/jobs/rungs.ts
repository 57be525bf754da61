/** Runs that are trained to an epoch, pause there, and may be trained on. */
import type { Run } from '@destillml/core/api/run.ts';
import type { Rung } from '@destillml/core/plan/rungs.ts';
import { untilEpochAnnotation } from './contract.ts';
import type { Finding } from './finding.ts';
import type { Job } from './objects.ts';
import { goingOn, type Resumption } from './resumption.ts';

/** A Run that is trained on: the Job that brought it to its rung goes, and another one follows. */
export const promoted = 'Promoted';

/** The epoch at which a Run is to pause; undefined: it is trained to its end. */
export function pauseOf({ spec: { untilEpoch, parameters } }: Run): number | undefined {
  return untilEpoch !== undefined && untilEpoch < parameters.training.epochs ? untilEpoch : undefined;
}

/** Whether the Run has come as far as it is to. */
export function isAsFarAsAsked(run: Run, last: Rung | undefined): last is Rung {
  const pause = pauseOf(run);
  return pause !== undefined && last !== undefined && last.epoch >= pause;
}

/** Whether the Job has brought its Run as far as its trainer was told, and that is known: nothing more comes of it. */
export function isTrainedTo({ metadata }: Job, last: Rung | undefined): boolean {
  const until = metadata.annotations?.[untilEpochAnnotation];
  return until !== undefined && last !== undefined && last.epoch >= Number(until);
}

export function rungText({ epoch, validationAccuracy }: Rung): string {
  const percent = (validationAccuracy * 100).toFixed(2);
  return `Trained to epoch ${epoch}; best validation accuracy ${percent} %.`;
}

export function atRung(rung: Rung): Finding {
  const message = `${rungText(rung)} It holds no GPU, and is trained on if it is among the best.`;
  return { phase: 'Paused', reason: 'AtRung', message };
}

export function trainedOn(run: Run, rung: Rung, from: Resumption): Finding {
  const pause = pauseOf(run);
  const next = `Another Job trains it to ${pause === undefined ? 'its end' : `epoch ${pause}`}`;
  return { phase: 'Queued', reason: promoted, message: `${rungText(rung)} ${goingOn(next, from)}` };
}
