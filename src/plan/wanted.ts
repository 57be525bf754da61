import type { Arm, Experiment } from '../api/experiment.ts';
import type { ModelName } from '../api/models.ts';
import type { Run, RunParameters, RunStage } from '../api/run.ts';
import { runName, type WantedRun } from './naming.ts';
import { chooseArm, type ScarcityChoice } from './scarcity.ts';
import type { TeacherReference } from './teacher.ts';

export type Wanted = {
  /**
   * In the order in which they are to start: the teacher; then seed by seed, so that the first seed gives a complete
   * comparison earliest; within a seed student by student, its baseline and then the arms, all in the order of the
   * spec; the scarcity stage last.
   */
  readonly runs: readonly WantedRun[];
  readonly scarcity: ScarcityChoice;
};

/**
 * The Runs an Experiment describes. `runs` are those that exist: the scarcity stage depends on their results, and
 * the teacher that was trained first stays the teacher when seeds are added before its own.
 *
 * `external` is where `spec.teacher.from` was found; while it is unknown, names are the same and distilled Runs have
 * no `teacherRun`.
 */
export function wantedRuns(
  experiment: Experiment,
  runs: readonly Run[],
  external?: TeacherReference,
): Wanted {
  const own = ownTeacher(experiment, runs);
  const teacher = own ? { run: own.name } : external;
  const main = [
    ...(own ? [own] : []),
    ...experiment.spec.seeds.flatMap((seed) =>
      experiment.spec.students.flatMap((student) =>
        studentRuns(experiment, 'main', student, experiment.spec.distillation, seed, teacher),
      ),
    ),
  ];
  const scarcity = chooseArm(experiment, main, runs);
  return { runs: [...main, ...scarceRuns(experiment, scarcity, runs, teacher)], scarcity };
}

/**
 * While the choice is open, for instance because a seed was added, the scarce Runs that exist stay wanted, whatever
 * arm they are of.
 */
function scarceRuns(
  { spec, ...rest }: Experiment,
  choice: ScarcityChoice,
  runs: readonly Run[],
  teacher: TeacherReference | undefined,
): readonly WantedRun[] {
  const { scarcity } = spec;
  if (!scarcity || choice.state === 'none' || choice.state === 'skipped') return [];
  const scarce = { ...rest, spec: { ...spec, dataset: { ...spec.dataset, fraction: scarcity.fraction } } };
  const student = { name: scarcity.student.model, model: scarcity.student.model };
  const arms = choice.state === 'chosen' ? [choice.arm] : spec.distillation;
  const possible = spec.seeds.flatMap((seed) =>
    studentRuns(scarce, 'scarcity', student, arms, seed, teacher),
  );
  if (choice.state === 'chosen') return possible;
  const existing = new Set(runs.map((run) => run.metadata.name));
  return possible.filter(({ name }) => existing.has(name));
}

/** One student with one seed: its baseline and every arm. Distilled students train without label smoothing. */
function studentRuns(
  experiment: Experiment,
  stage: RunStage,
  student: { readonly name: string; readonly model: ModelName },
  arms: readonly Arm[],
  seed: number,
  teacher: TeacherReference | undefined,
): readonly WantedRun[] {
  const { dataset, training } = experiment.spec;
  const common = { stage, student: student.name, model: student.model, seed, dataset };
  return [
    named(experiment, { ...common, role: 'baseline', training }),
    ...arms.map(({ name, ...objective }) =>
      named(experiment, {
        ...common,
        role: 'distilled',
        arm: name,
        training: { ...training, labelSmoothing: 0 },
        objective,
        ...(teacher ? { teacherRun: teacher.run } : {}),
        ...(teacher?.namespace === undefined ? {} : { teacherNamespace: teacher.namespace }),
      }),
    ),
  ];
}

/**
 * The teacher is trained once, with the first seed. If Runs already know a teacher of this Experiment, it stays that
 * one: adding a seed before the first must not train a second teacher.
 */
function ownTeacher(experiment: Experiment, runs: readonly Run[]): WantedRun | undefined {
  const { dataset, training, teacher, seeds } = experiment.spec;
  const { model } = teacher;
  if (model === undefined) return undefined;
  const candidates = [...new Set([...seeds, ...runs.map((run) => run.spec.parameters.seed)])].map((seed) =>
    named(experiment, { role: 'teacher', stage: 'main', model, seed, dataset, training }),
  );
  const known = new Set(
    runs.map(({ metadata, spec: { parameters } }) =>
      parameters.role === 'teacher' ? metadata.name : parameters.teacherRun,
    ),
  );
  return candidates.find(({ name }) => known.has(name)) ?? candidates[0];
}

function named(experiment: Experiment, parameters: RunParameters): WantedRun {
  return { name: runName(experiment, parameters), parameters };
}
