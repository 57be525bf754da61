import type { Condition } from '@destillml/core/api/meta.ts';
import type { Run, RunStatus } from '@destillml/core/api/run.ts';
import { type Finding as ConditionFinding, conditions, timestamp } from '@destillml/core/plan/conditions.ts';
import { isFinal } from '@destillml/core/plan/phases.ts';
import type { Finding } from './finding.ts';
import type { PodEnd } from './pod-end.ts';
import { resultUnread } from './unread-result.ts';

/** The part of a Run's status that the operator writes. Progress and history are the trainer's to report. */
export type ReportedStatus = Omit<RunStatus, 'progress' | 'history'>;

/** The status to write. `last` is how the newest pod that has ended did so. */
export function statusOf(
  { metadata, status: before }: Run,
  finding: Finding,
  last: PodEnd | undefined,
  usage: Partial<RunStatus>,
  now: Date,
): ReportedStatus {
  const { phase, reason, message } = finding;
  const { generation } = metadata;
  const starts = (usage.pods ?? []).flatMap(({ startTime }) => startTime ?? []).sort();
  const startTime = before?.startTime ?? starts[0];
  const completionTime = isFinal(phase) ? (usage.pods?.at(-1)?.endTime ?? timestamp(now)) : undefined;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    reason,
    message,
    conditions: conditions(
      before?.conditions ?? [],
      findings(finding, last, before?.conditions ?? []),
      generation,
      now,
    ),
    ...usage,
    ...(startTime === undefined ? {} : { startTime }),
    ...(completionTime === undefined ? {} : { completionTime }),
  };
}

/**
 * - `LastAttemptFailed`: how the last attempt failed, while another is under way or after the last; once there was one.
 * - `ResultUnread`: it ended well and its result is not known, until it is; once that was so.
 * - `Complete`, `Failed`: how it ended.
 * - `Progressing`: False where something stands in the way, and why.
 */
function findings(
  { phase, reason, message, blocked = false }: Finding,
  last: PodEnd | undefined,
  before: readonly Condition[],
): readonly ConditionFinding[] {
  const known = (type: string) => before.find((condition) => condition.type === type);
  const why = { reason, message };
  const ofEnd = (type: string, holds: boolean): ConditionFinding =>
    isFinal(phase)
      ? { type, status: holds ? 'True' : 'False', ...why }
      : { type, status: 'False', reason: 'Unfinished', message: 'The Run has not ended.' };
  const progressing = !isFinal(phase) && phase !== 'Waiting' && !blocked;
  return [
    ...lastAttempt(last, known('LastAttemptFailed')),
    ...unread({ phase, reason, message }, last, known(resultUnread)),
    ofEnd('Complete', phase === 'Succeeded'),
    ofEnd('Failed', phase === 'Failed'),
    { type: 'Progressing', status: progressing ? 'True' : 'False', ...why },
  ];
}

function unread(
  { phase, reason, message }: Finding,
  last: PodEnd | undefined,
  known: Condition | undefined,
): readonly ConditionFinding[] {
  const type = resultUnread;
  if (reason === resultUnread) return [{ type, status: 'True', reason, message }];
  if (known === undefined) return [];
  const isRead = known.status === 'True' && (isFinal(phase) || last?.rung !== undefined);
  return isRead
    ? [{ type, status: 'False', reason, message }]
    : [{ type, status: known.status, reason: known.reason, message: known.message }];
}

function lastAttempt(last: PodEnd | undefined, known: Condition | undefined): readonly ConditionFinding[] {
  const type = 'LastAttemptFailed';
  if (last?.outcome === 'Failed') {
    return [{ type, status: 'True', reason: last.reason, message: last.message }];
  }
  if (known === undefined) return [];
  return last === undefined
    ? [{ type, status: known.status, reason: known.reason, message: known.message }]
    : [{ type, status: 'False', reason: last.reason, message: last.message }];
}
