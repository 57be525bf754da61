import type { RunParameters } from '../api/run.ts';

/** teacher, baseline, explanation or the name of the arm. */
export function techniqueOf({ role, arm }: Pick<RunParameters, 'role' | 'arm'>): string {
  return arm ?? role;
}

/**
 * What people call a network or what is done with networks: `teacher`, `small/baseline`, `small/soft-targets`,
 * `scarcity/resnet8/attention`, `explanation`.
 */
export function titleOf(parameters: Pick<RunParameters, 'stage' | 'role' | 'arm' | 'student'>): string {
  const { stage, student } = parameters;
  return [
    ...(stage === 'scarcity' ? [stage] : []),
    ...(student === undefined ? [] : [student]),
    techniqueOf(parameters),
  ].join('/');
}

/** What tells a network from others: its student, and what it is. */
export function networkName(student: string | undefined, network: string): string {
  return student === undefined || student === network ? network : `${student} (${network})`;
}
