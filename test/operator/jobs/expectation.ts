import type { ReportedStatus } from '../../../operator/jobs/run-status.ts';
import type { Condition, RunPhase } from '../../../src/api/meta.ts';
import { isFinal } from '../../../src/plan/phases.ts';

type Why = { readonly reason: string; readonly message: string };

export type Expected = Why & {
  readonly phase: RunPhase;
  /** Something stands in the way. */
  readonly blocked?: true;
  /** Whether its result is still not known, once it was not. */
  readonly unread?: 'True' | 'False';
  readonly lastAttempt?: Why & { readonly status: 'True' | 'False' };
} & Omit<Partial<ReportedStatus>, 'phase' | 'reason' | 'message' | 'conditions'>;

/** The whole status of a Run that had none before. */
export function statusOf({
  blocked,
  lastAttempt,
  unread,
  phase,
  reason,
  message,
  ...rest
}: Expected): ReportedStatus {
  const condition = (type: string, status: Condition['status'], why: Why): Condition => ({
    type,
    status,
    reason: why.reason,
    message: why.message,
    lastTransitionTime: '2026-11-24T12:11:05Z',
    observedGeneration: 2,
  });
  const why = { reason, message };
  const unfinished = { reason: 'Unfinished', message: 'The Run has not ended.' };
  const onTheWay = !isFinal(phase) && phase !== 'Waiting' && !blocked;
  return {
    observedGeneration: 2,
    phase,
    reason,
    message,
    conditions: [
      ...(lastAttempt ? [condition('LastAttemptFailed', lastAttempt.status, lastAttempt)] : []),
      ...(unread ? [condition('ResultUnread', unread, why)] : []),
      condition('Complete', phase === 'Succeeded' ? 'True' : 'False', isFinal(phase) ? why : unfinished),
      condition('Failed', phase === 'Failed' ? 'True' : 'False', isFinal(phase) ? why : unfinished),
      condition('Progressing', onTheWay ? 'True' : 'False', why),
    ],
    attempts: 0,
    preemptions: 0,
    gpuSeconds: 0,
    pods: [],
    ...rest,
  };
}
