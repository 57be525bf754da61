import type { Condition } from '../api/meta.ts';

/** What a condition says, before it is known since when. */
export type Finding = {
  readonly type: string;
  readonly status: Condition['status'];
  readonly reason: string;
  readonly message: string;
};

/** A time as Kubernetes writes it: UTC, to the second. */
export function timestamp(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

/**
 * The findings as conditions. `lastTransitionTime` moves only when the status changes. Conditions of other types,
 * which someone else reports, are kept in front.
 */
export function conditions(
  previous: readonly Condition[],
  findings: readonly Finding[],
  generation: number | undefined,
  now: Date,
): Condition[] {
  const types = new Set(findings.map(({ type }) => type));
  return [
    ...previous.filter(({ type }) => !types.has(type)),
    ...findings.map((finding) => {
      const before = previous.find(({ type }) => type === finding.type);
      return {
        ...finding,
        lastTransitionTime: before?.status === finding.status ? before.lastTransitionTime : timestamp(now),
        ...(generation === undefined ? {} : { observedGeneration: generation }),
      };
    }),
  ];
}
