import type { Arm, Experiment, ExperimentSpec } from '../api/experiment.ts';
import type { Run, RunStage } from '../api/run.ts';
import { explanationRuns } from './explanation.ts';
import { type RunNamer, runNamer, type Treatment, type WantedRun } from './naming.ts';
import { chooseArm, type ScarcityChoice } from './scarcity.ts';
import type { TeacherParameters, TeacherReference } from './teacher.ts';

export type Wanted = {
  /**
   * In the order in which they are to start: the teacher; then seed by seed, so that the first seed gives a complete
   * comparison earliest; within a seed student by student, its baseline and then the arms, all in the order of the
   * spec; then the scarcity stage; the explanation last.
   */
  readonly runs: readonly WantedRun[];
  readonly scarcity: ScarcityChoice;
};

/**
 * What one plan may keep for the next of the same Experiment, to be quicker: its main stage, which changes only with
 * the spec. Nothing depends on it.
 */
export type Memory = { main?: { readonly of: string; readonly runs: readonly WantedRun[] } };

/**
 * The Runs an Experiment describes. `runs` are those that exist: the later stages depend on their results, and the
 * teacher that was trained first stays the teacher when seeds are added before its own.
 *
 * `external` is where `spec.teacher.from` was found; while it is unknown, names are the same and distilled Runs have
 * no `teacherRun`.
 */
export function wantedRuns(
  experiment: Experiment,
  runs: readonly Run[],
  external?: TeacherReference,
  memory: Memory = {},
): Wanted {
  const { spec } = experiment;
  const namer = runNamer(experiment);
  const own = ownTeacher(spec, runs, namer);
  const teacher = own ? { teacherRun: own.name } : givenTeacher(spec, external);
  const main = remembered(experiment, teacher, memory, () => [
    ...(own ? [own] : []),
    ...withSeeds(treatments(spec, 'main', spec.distillation, teacher), spec.seeds, namer),
  ]);
  const scarcity = chooseArm(experiment, main, runs);
  const trained = [...main, ...scarceRuns(spec, scarcity, runs, teacher, namer)];
  return { runs: [...trained, ...explanationRuns(experiment, trained, runs, teacher, namer)], scarcity };
}

/** The API server gives every change of a spec another generation. */
function remembered(
  { metadata: { uid, generation } }: Experiment,
  teacher: TeacherParameters,
  memory: Memory,
  compute: () => readonly WantedRun[],
): readonly WantedRun[] {
  if (uid === undefined || generation === undefined) return compute();
  const of = JSON.stringify([uid, generation, teacher]);
  if (memory.main?.of !== of) memory.main = { of, runs: compute() };
  return memory.main.runs;
}

/**
 * While the choice is open, for instance because a seed was added, the scarce Runs that exist stay wanted, whatever
 * arm they are of.
 */
function scarceRuns(
  spec: ExperimentSpec,
  choice: ScarcityChoice,
  runs: readonly Run[],
  teacher: TeacherParameters,
  namer: RunNamer,
): readonly WantedRun[] {
  const { scarcity, dataset, training, seeds } = spec;
  if (!scarcity || choice.state === 'none' || choice.state === 'skipped') return [];
  const scarce = {
    dataset: { ...dataset, fraction: scarcity.fraction },
    students: [{ name: scarcity.student.model, model: scarcity.student.model }],
    training,
  };
  const arms = choice.state === 'chosen' ? [choice.arm] : spec.distillation;
  const possible = withSeeds(treatments(scarce, 'scarcity', arms, teacher), seeds, namer);
  if (choice.state === 'chosen') return possible;
  const existing = new Set(runs.map((run) => run.metadata.name));
  return possible.filter(({ name }) => existing.has(name));
}

/** For each student its baseline and every arm. Distilled students train without label smoothing. */
function treatments(
  { dataset, students, training }: Pick<ExperimentSpec, 'dataset' | 'students' | 'training'>,
  stage: RunStage,
  arms: readonly Arm[],
  teacher: TeacherParameters,
): readonly Treatment[] {
  const withoutSmoothing = { ...training, labelSmoothing: 0 };
  const distilled = arms.map(({ name, ...objective }) => ({
    role: 'distilled' as const,
    arm: name,
    training: withoutSmoothing,
    objective,
    ...teacher,
  }));
  return students.flatMap(({ name, model }) => {
    const common = { stage, student: name, model, dataset };
    return [
      { ...common, role: 'baseline' as const, training },
      ...distilled.map((technique) => ({ ...common, ...technique })),
    ];
  });
}

/**
 * The teacher is trained once, with the first seed. If Runs already know a teacher of this Experiment, it stays that
 * one: adding a seed before the first must not train a second teacher.
 */
function ownTeacher(
  { dataset, training, teacher: { model }, seeds }: ExperimentSpec,
  runs: readonly Run[],
  namer: RunNamer,
): WantedRun | undefined {
  if (model === undefined) return undefined;
  const possible = new Set([...seeds, ...runs.map((run) => run.spec.parameters.seed)]);
  const candidates = withSeeds(
    [{ role: 'teacher', stage: 'main', model, dataset, training }],
    [...possible],
    namer,
  );
  const known = new Set(
    runs.map(({ metadata, spec: { parameters } }) =>
      parameters.role === 'teacher' ? metadata.name : parameters.teacherRun,
    ),
  );
  return candidates.find(({ name }) => known.has(name)) ?? candidates[0];
}

function givenTeacher(
  { teacher: { from } }: ExperimentSpec,
  external: TeacherReference | undefined,
): TeacherParameters {
  if (from?.onnx !== undefined) return { teacherOnnx: from.onnx };
  if (external === undefined) return {};
  const { run, namespace } = external;
  return { teacherRun: run, ...(namespace === undefined ? {} : { teacherNamespace: namespace }) };
}

/** Every treatment with every seed, seed by seed. */
function withSeeds(
  all: readonly Treatment[],
  seeds: readonly number[],
  namer: RunNamer,
): readonly WantedRun[] {
  const named = all.map((treatment) => ({ treatment, nameOf: namer(treatment) }));
  return seeds.flatMap((seed) =>
    named.map(({ treatment, nameOf }) => ({ name: nameOf(seed), parameters: { ...treatment, seed } })),
  );
}
