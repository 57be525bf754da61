import type { Run, RunParameters, RunResult } from '../api/run.ts';
import type { WantedRun } from './naming.ts';
import { hasEnded, phaseOf } from './phases.ts';

/** Runs that differ in nothing but their seed. */
export type Group = {
  /** Parameters of the first of them; the seed is its own. */
  readonly parameters: RunParameters;
  readonly wanted: number;
  /** Those that exist. */
  readonly runs: readonly Run[];
};

/** Groups in the order of the spec: teacher; per student baseline and arms; scarcity. */
export function groupBySeeds(wanted: readonly WantedRun[], runs: readonly Run[]): readonly Group[] {
  const existing = new Map(runs.map((run) => [run.metadata.name, run]));
  const groups = Map.groupBy(wanted, ({ parameters: { stage, role, student, arm } }) =>
    [stage, role, student, arm].join('/'),
  );
  return [...groups.values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const present = members.flatMap(({ name }) => existing.get(name) ?? []);
    return [{ parameters: first.parameters, wanted: members.length, runs: present }];
  });
}

/** Whether all that are wanted exist and have ended. */
export function haveEnded(wanted: readonly WantedRun[], existing: ReadonlyMap<string, Run>): boolean {
  return wanted.every(({ name }) => {
    const run = existing.get(name);
    return run !== undefined && hasEnded(run);
  });
}

/** Results of the Runs that succeeded, in the order given. */
export function resultsOf(runs: readonly Run[]): readonly RunResult[] {
  return runs.flatMap((run) =>
    phaseOf(run) === 'Succeeded' && run.status?.result ? [run.status.result] : [],
  );
}
