import type { Arm, Experiment } from '../api/experiment.ts';
import type { Run } from '../api/run.ts';
import { haveEnded, resultsOf } from './groups.ts';
import type { WantedRun } from './naming.ts';
import { outcomeOf, phaseOf } from './phases.ts';
import { spread } from './spread.ts';

/** Which arm the scarcity stage trains. */
export type ScarcityChoice =
  | { readonly state: 'none' }
  | { readonly state: 'open'; readonly reason: string; readonly message: string }
  | { readonly state: 'chosen'; readonly arm: Arm; readonly reason: string; readonly message: string }
  | { readonly state: 'skipped'; readonly reason: string; readonly message: string };

/**
 * The arm is chosen once every Run of the main stage has ended: the one that is named, or else the one with the
 * highest mean validation accuracy. The mean is over all its Runs that succeeded, of all students and seeds; an arm
 * without any is out; of equal arms the first in the spec is taken.
 *
 * The choice is a function of the results alone: when arms, students or seeds are added it is open again until they
 * have ended, and may then fall on another arm.
 */
export function chooseArm(
  experiment: Experiment,
  main: readonly WantedRun[],
  runs: readonly Run[],
  isSearching: boolean,
): ScarcityChoice {
  const { scarcity, distillation } = experiment.spec;
  if (!scarcity) return { state: 'none' };

  const existing = new Map(runs.map((run) => [run.metadata.name, run]));
  if (isSearching || !haveEnded(main, existing)) {
    return {
      state: 'open',
      reason: 'MainStageUnfinished',
      message: 'The scarcity stage begins when every Run of the main stage has ended.',
    };
  }

  const failedTeacher = main
    .filter(({ parameters }) => parameters.role === 'teacher')
    .flatMap(({ name }) => existing.get(name) ?? [])
    .find((run) => phaseOf(run) !== 'Succeeded');
  if (failedTeacher) {
    return {
      state: 'skipped',
      reason: 'TeacherFailed',
      message: `No scarcity stage: Run ${failedTeacher.metadata.name}, the teacher, ended ${outcomeOf(failedTeacher)}`,
    };
  }

  if (scarcity.arm !== 'best') {
    const arm = distillation.find(({ name }) => name === scarcity.arm);
    return arm
      ? { state: 'chosen', arm, reason: 'ArmNamed', message: `Arm ${arm.name}, named in spec.scarcity.arm.` }
      : {
          state: 'skipped',
          reason: 'ArmNotFound',
          message: `No scarcity stage: spec.distillation has no arm named ${scarcity.arm} (spec.scarcity.arm).`,
        };
  }

  const byArm = Map.groupBy(main, ({ parameters }) => parameters.arm);
  const [best] = distillation
    .flatMap((arm) => {
      const own = byArm.get(arm.name) ?? [];
      const results = resultsOf(own.flatMap(({ name }) => existing.get(name) ?? []));
      const accuracy = spread(results.map((result) => result.validationAccuracy));
      return accuracy ? [{ arm, mean: accuracy.mean }] : [];
    })
    .sort((a, b) => b.mean - a.mean);
  if (best === undefined) {
    return {
      state: 'skipped',
      reason: 'NoArmSucceeded',
      message: 'No scarcity stage: no Run of any arm succeeded.',
    };
  }
  return {
    state: 'chosen',
    arm: best.arm,
    reason: 'BestArm',
    message: `Arm ${best.arm.name} has the highest mean validation accuracy, ${(100 * best.mean).toFixed(2)} %.`,
  };
}
