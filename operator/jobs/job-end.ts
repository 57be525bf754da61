import type { Condition } from '@destillml/core/api/meta.ts';
import type { Finding } from './finding.ts';
import { conditionTrue, type Job } from './objects.ts';
import type { PodEnd } from './pod-end.ts';
import { goingOn, type Resumption } from './resumption.ts';
import { sentence } from './sentence.ts';

/** Whether the Job has ended or is ending its last pods. */
export function isJobEnding(job: Job): boolean {
  const conditions = job.status?.conditions;
  return ['Complete', 'Failed', 'FailureTarget'].some((type) => conditionTrue(conditions, type));
}

/** Whether its time is over. The Job controller deletes its pods then, and says so a little later. */
export function isPastDeadline({ spec, status }: Job, now: Date): boolean {
  const seconds = spec?.activeDeadlineSeconds;
  if (seconds === undefined || status?.startTime === undefined) return false;
  return now.getTime() >= Date.parse(status.startTime) + seconds * 1000;
}

/**
 * What the failure of a Job without pods that work means for its Run; undefined of one that has not failed.
 *
 * `last` is how its newest pod ended. Where that pod is gone, the condition that was written when it ended still
 * tells. `from` is where another attempt would begin.
 */
export function jobFailure(
  job: Job,
  last: PodEnd | undefined,
  reported: Condition | undefined,
  { retries, from }: { readonly retries: number; readonly from: Resumption },
): Finding | undefined {
  const conditions = job.status?.conditions;
  const failed = conditionTrue(conditions, 'Failed') ?? conditionTrue(conditions, 'FailureTarget');
  if (failed === undefined) return undefined;

  const { reason = 'JobFailed', message = '' } = failed;
  const attempt =
    last?.outcome === 'Failed'
      ? last
      : reported?.status === 'True'
        ? reported
        : { reason, message: sentence(message) };
  switch (reason) {
    case 'DeadlineExceeded': {
      const seconds = job.spec?.activeDeadlineSeconds;
      return {
        phase: 'Failed',
        reason,
        message: `It took longer than spec.activeDeadlineSeconds (${seconds}). Raise it, and delete the Run: ${goingOn('it is tried again', from)}`,
      };
    }
    case 'BackoffLimitExceeded': {
      return {
        phase: 'Failed',
        reason: attempt.reason,
        message: `${attempt.message} No attempt is left (spec.retries is ${retries}).`,
      };
    }
    default:
      return { phase: 'Failed', reason: attempt.reason, message: attempt.message };
  }
}
