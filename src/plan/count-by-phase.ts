import { type RunPhase, runPhases } from '../api/meta.ts';
import type { Run } from '../api/run.ts';
import { phaseOf } from './phases.ts';

/** Phases that no Run has are left out. */
export function countByPhase(runs: readonly Run[]): Partial<Record<RunPhase, number>> {
  const byPhase = Map.groupBy(runs, phaseOf);
  return Object.fromEntries(
    runPhases.flatMap((phase) => {
      const count = byPhase.get(phase)?.length ?? 0;
      return count > 0 ? [[phase, count]] : [];
    }),
  );
}
