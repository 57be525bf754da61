import type { Experiment } from '../api/experiment.ts';
import { runStages } from '../api/run.ts';
import type { ReportRun } from './input.ts';

/**
 * Runs in the order of the spec: the trials of its search; the teacher; per student its baseline and the arms; scarcity;
 * each by its seeds, trials by number.
 */
export function inOrder(runs: readonly ReportRun[], { spec }: Experiment): readonly ReportRun[] {
  const students = spec.students.map(({ name }) => name);
  const arms = spec.distillation.map(({ name }) => name);
  const rank = ({ run }: ReportRun): readonly number[] => {
    const { stage, role, student, arm, seed } = run.spec.parameters;
    const { number = 0 } = run.spec.trial ?? {};
    return [
      runStages.indexOf(stage),
      role === 'teacher' ? 0 : 1,
      place(students, student),
      role === 'baseline' ? 0 : 1,
      place(arms, arm),
      seed,
      number,
    ];
  };
  return runs.toSorted((a, b) => {
    const other = rank(b);
    return rank(a).reduce((order, value, index) => order || value - (other[index] ?? 0), 0);
  });
}

/** What the spec no longer has comes last. */
function place(names: readonly string[], name: string | undefined): number {
  const index = names.indexOf(name ?? '');
  return index < 0 ? names.length : index;
}
