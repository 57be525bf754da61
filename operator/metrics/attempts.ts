import type { RunPod } from '@destillml/core/api/run.ts';
import type { Run } from '../controllers/kinds.ts';
import { conditionTrue, type Job, type Pod } from '../jobs/objects.ts';
import { seconds } from './seconds.ts';

/** What an attempt waited for, in seconds; undefined where nobody told. */
export type Waits = { readonly queue: number | undefined; readonly startup: number | undefined };

/**
 * How long the pod waited for a node, and then for its trainer to start.
 *
 * It waited from when it could have had a node: since its Job is there, or since the pod before it gave way. After a
 * failure it is since the pod is there, for Kubernetes lets some time pass before it tries again.
 *
 * @param before the record of the pod before it
 * @param started when its trainer started
 */
export function waitsOf(
  job: Job | undefined,
  pod: Pod,
  before: RunPod | undefined,
  started: string | undefined,
): Waits {
  const created = seconds(pod.metadata.creationTimestamp);
  const since =
    before?.outcome === 'Failed'
      ? created
      : latest(seconds(job?.metadata.creationTimestamp) ?? created, seconds(before?.endTime));
  const scheduled = seconds(conditionTrue(pod.status?.conditions, 'PodScheduled')?.lastTransitionTime);
  return { queue: between(since, scheduled), startup: between(scheduled, seconds(started)) };
}

/** Since when a Run that may train has no trainer, in seconds since 1970: since its Job is there, or since its last pod ended. */
export function waitingSince({ metadata, status }: Run, job: Job | undefined): number | undefined {
  const created = seconds(job?.metadata.creationTimestamp) ?? seconds(metadata.creationTimestamp);
  return latest(created, seconds(status?.pods?.at(-1)?.endTime));
}

function latest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

/** Clocks of nodes differ a little: a wait is never negative. */
function between(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : Math.max(0, to - from);
}
