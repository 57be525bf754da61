import type { Run } from '../api/run.ts';

/** A Run that may train but does not get on, and why. */
export type BlockedRun = { readonly name: string; readonly reason: string; readonly message: string };

/**
 * Those of the active Runs whose `Progressing` condition is False. One that was reported before the Run's spec last
 * changed does not count: it may be from before the Run was started.
 */
export function blockedRuns(active: readonly Run[]): readonly BlockedRun[] {
  return active.flatMap(({ metadata: { name, generation }, status }) => {
    const condition = status?.conditions.find(({ type }) => type === 'Progressing');
    if (condition?.status !== 'False') return [];
    const { observedGeneration = generation, reason, message } = condition;
    return observedGeneration === generation ? [{ name, reason, message }] : [];
  });
}

/** The first of them in full, and how many others there are. */
export function blockedText(first: BlockedRun, others: number): string {
  const rest = others === 0 ? '' : ` (and ${others} other ${others === 1 ? 'Run' : 'Runs'})`;
  return `Run ${first.name}: ${first.message}${rest}`;
}
