import type { Condition } from '@destillml/core/api/meta.ts';
import { isFinal } from '@destillml/core/plan/phases.ts';
import type { ReportedStatus } from '../jobs/run-status.ts';
import { resultUnread } from '../jobs/unread-result.ts';
import type { Happening } from '../runtime/events.ts';
import type { Run } from './kinds.ts';

/** What an Event is to say of a Run that went from the status it has to this one. */
export function runHappenings(run: Run, status: ReportedStatus): readonly Happening[] {
  const before = run.status;
  const of = (type: Happening['type'], action: string, reason: string, note: string): Happening => ({
    regarding: run,
    type,
    action,
    reason,
    note,
  });
  const { phase, reason = phase, message = '' } = status;
  const news: Happening[] = [];

  const failure = conditionOf(status, 'LastAttemptFailed');
  if (
    failure?.status === 'True' &&
    !same(failure, conditionOf(before, 'LastAttemptFailed')) &&
    phase !== 'Failed'
  ) {
    news.push(of('Warning', 'Retry', failure.reason, failure.message));
  }
  if ((status.preemptions ?? 0) > (before?.preemptions ?? 0)) {
    const note = tellsOfPreemption.has(reason) ? message : `Its pod was taken away. ${message}`;
    news.push(of('Normal', 'Requeue', 'Preempted', note));
  }
  if (
    (reason === 'Training' || reason === 'Explaining') &&
    (status.attempts ?? 0) > (before?.attempts ?? 0)
  ) {
    news.push(of('Normal', 'Train', 'Started', message));
  }
  if (phase === 'Paused' && (status.rungs?.length ?? 0) > (before?.rungs?.length ?? 0)) {
    news.push(of('Normal', 'Pause', reason, message));
  }
  if (isFinal(phase) && phase !== before?.phase) {
    news.push(of(phase === 'Failed' ? 'Warning' : 'Normal', 'Finish', reason, message));
  }
  const unread = conditionOf(status, resultUnread);
  if (unread?.status === 'True' && conditionOf(before, resultUnread)?.status !== 'True') {
    news.push(of('Warning', 'ReadResult', unread.reason, unread.message));
  }
  const progressing = conditionOf(status, 'Progressing');
  const blocked = progressing?.status === 'False' && !isFinal(phase) && phase !== 'Waiting';
  if (blocked && !same(progressing, conditionOf(before, 'Progressing'))) {
    news.push(of('Warning', 'Wait', progressing.reason, progressing.message));
  }
  return news;
}

/** Of a pod that was already gone when it was looked for, nobody knows why; the status is then about what is next. */
const tellsOfPreemption: ReadonlySet<string> = new Set(['Preempted', 'Evicted', 'NodeLost']);

export function conditionOf(
  status: { readonly conditions: readonly Condition[] } | undefined,
  type: string,
): Condition | undefined {
  return status?.conditions.find((condition) => condition.type === type);
}

/** Whether it said this already; a message that only goes into other detail is no news. */
function same(one: Condition, other: Condition | undefined): boolean {
  return one.status === other?.status && one.reason === other.reason;
}
