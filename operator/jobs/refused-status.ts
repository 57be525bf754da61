import type { Run } from '@destillml/core/api/run.ts';
import { conditions } from '@destillml/core/plan/conditions.ts';
import { isFinal } from '@destillml/core/plan/phases.ts';
import type { ReportedStatus } from './run-status.ts';

/** The status of a Run for which the operator wants to write something and may not. How it ended stays as it is. */
export function refusedStatus(
  { metadata, status: before }: Run,
  status: ReportedStatus,
  refusal: { readonly reason: string; readonly message: string },
  now: Date,
): ReportedStatus {
  if (isFinal(status.phase)) return status;
  const findings = status.conditions.map(({ type, status: state, reason, message }) =>
    type === 'Progressing'
      ? { type, status: 'False' as const, ...refusal }
      : { type, status: state, reason, message },
  );
  return {
    ...status,
    ...refusal,
    conditions: conditions(before?.conditions ?? [], findings, metadata.generation, now),
  };
}
