import type { RunParameters } from '../api/run.ts';

/** teacher, baseline or the name of the arm. */
export function techniqueOf({ role, arm }: Pick<RunParameters, 'role' | 'arm'>): string {
  return arm ?? role;
}
