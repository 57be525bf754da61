import type { Accounts } from './accounts.ts';
import { conditionTrue, type Job } from './objects.ts';

/** @param failures attempts of the Run that failed so far */
export function retriesLeft(retries: number, failures = 0): number {
  return Math.max(0, retries - failures);
}

/**
 * Whether the Job gave up although retries are left.
 *
 * A retry is spent by an attempt that failed. The Job controller counts more: of a pod that is deleted before its
 * container was made, as where Kueue takes its place back while the image is pulled, the kubelet says exit code 137, and
 * of one that never had a node nobody says anything. No rule of a podFailurePolicy can tell the first from a trainer that
 * was killed for its memory.
 */
export function gaveUpEarly(job: Job, retries: number, { failures = 0, pods }: Accounts): boolean {
  const takenAway = pods.some(({ outcome }) => outcome === 'Preempted' || outcome === 'Stopped');
  return isOutOfRetries(job) && failures <= retries && takenAway;
}

/** Whether the Job ends, or has, because it counted too many failed pods: none of them is left. */
export function isOutOfRetries({ status }: Job): boolean {
  return ['Failed', 'FailureTarget'].some(
    (type) => conditionTrue(status?.conditions, type)?.reason === 'BackoffLimitExceeded',
  );
}
