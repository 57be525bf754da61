import { type RunPhase, runPhases } from '../api/meta.ts';
import type { Run } from '../api/run.ts';
import { hasEnded, phaseOf } from './phases.ts';

/** What many Runs come to together. */
export type Tally = {
  readonly count: number;
  /** Phases that no Run has are left out. */
  readonly phases: Partial<Record<RunPhase, number>>;
  readonly ended: number;
  /** Undefined while none has had a GPU. */
  readonly gpuSeconds: number | undefined;
  /** Of the one that started first. */
  readonly startTime: string | undefined;
};

export function tallyOf(runs: readonly Run[]): Tally {
  const phases: Partial<Record<RunPhase, number>> = {};
  let ended = 0;
  let gpuSeconds: number | undefined;
  let startTime: string | undefined;
  for (const run of runs) {
    const phase = phaseOf(run);
    phases[phase] = (phases[phase] ?? 0) + 1;
    if (hasEnded(run)) ended++;
    gpuSeconds = plus(gpuSeconds, run.status?.gpuSeconds);
    startTime = earlier(startTime, run.status?.startTime);
  }
  return { count: runs.length, phases: inOrder(phases), ended, gpuSeconds, startTime };
}

export function together(tallies: readonly Tally[]): Tally {
  const phases: Partial<Record<RunPhase, number>> = {};
  let [count, ended] = [0, 0];
  let gpuSeconds: number | undefined;
  let startTime: string | undefined;
  for (const tally of tallies) {
    for (const phase of runPhases) {
      const its = tally.phases[phase];
      if (its !== undefined) phases[phase] = (phases[phase] ?? 0) + its;
    }
    count += tally.count;
    ended += tally.ended;
    gpuSeconds = plus(gpuSeconds, tally.gpuSeconds);
    startTime = earlier(startTime, tally.startTime);
  }
  return { count, phases: inOrder(phases), ended, gpuSeconds, startTime };
}

function inOrder(phases: Tally['phases']): Tally['phases'] {
  return Object.fromEntries(
    runPhases.flatMap((phase) => (phases[phase] === undefined ? [] : [[phase, phases[phase]]])),
  );
}

function plus(one: number | undefined, other: number | undefined): number | undefined {
  return other === undefined ? one : (one ?? 0) + other;
}

function earlier(one: string | undefined, other: string | undefined): string | undefined {
  return one === undefined || (other !== undefined && other < one) ? other : one;
}
