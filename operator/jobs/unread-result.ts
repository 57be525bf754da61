import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { Run } from '@destillml/core/api/run.ts';
import { readsResultAnnotation } from './contract.ts';
import type { Finding } from './finding.ts';
import { conditionTrue, type Job } from './objects.ts';
import { placeText } from './places.ts';
import { pauseOf } from './rungs.ts';

/** Condition of a Run whose trainer ended well, and whose result nobody has read yet. */
export const resultUnread = 'ResultUnread';

/**
 * What becomes of a Run whose trainer ended well and left no word that can be read. Its artifacts have the result: one
 * more Job is made for its trainer to find them complete, and to say again what they came to. That is done once: what
 * took the word of two pods would take the third's. Without artifacts nothing is left of the network either.
 *
 * @param why such as `its pod is gone`
 */
export function unreadResult(
  run: Run,
  job: Job | undefined,
  experiment: Pick<Experiment, 'spec'> | undefined,
  why: string,
): Finding {
  const ended = `The trainer ended well, but ${why}, so its result is not known here.`;
  const storage = experiment?.spec.storage;
  if (storage === undefined) {
    return {
      phase: 'Failed',
      reason: 'ResultLost',
      message: `${ended} Without spec.storage it is nowhere else, nor is the network. Delete the Run to have it trained again.`,
    };
  }
  const file = fileOf(run);
  const { name, namespace = 'default' } = run.metadata;
  const key = { namespace, experiment: run.spec.experiment, run: name };
  const place = `${file} of ${placeText(storage, key)}`;
  if (job?.metadata.annotations?.[readsResultAnnotation] === undefined) {
    return {
      phase: 'Queued',
      reason: resultUnread,
      message: `${ended} Another pod reads it from ${place}; what is done is not done twice.`,
    };
  }
  return {
    phase: 'Queued',
    reason: resultUnread,
    message: `${ended} A second pod was to read it from ${place}, and its word is missing too. Look for what deletes pods as soon as they end, then have it read again: kubectl delete job -n ${namespace} ${name}`,
    blocked: true,
  };
}

/** Which file tells what the trainer came to. */
function fileOf(run: Run): string {
  if (run.spec.parameters.role === 'explanation') return 'explanations.json';
  return pauseOf(run) === undefined ? 'result.json' : 'checkpoints/last.safetensors';
}

/** Whether the next trainer only has to say again what the one before came to. */
export function isToRead({ status }: Run): boolean {
  return conditionTrue(status?.conditions, resultUnread) !== undefined;
}
