import type { Experiment, ExperimentSpec } from '../api/experiment.ts';
import type { Run } from '../api/run.ts';
import type { SweptValues } from '../api/sweepable.ts';
import { RunsMemory } from './blocks.ts';
import { explanationRuns } from './explanation.ts';
import { type RunNamer, runNamer, type Treatment, type WantedRun } from './naming.ts';
import { hasEnded, phaseOf } from './phases.ts';
import { chooseArm, type ScarcityChoice } from './scarcity.ts';
import { isSettled, studyStates } from './studies.ts';
import { partsOf } from './study-part.ts';
import type { StudyState } from './study-state.ts';
import { sweptValues, withValues } from './swept.ts';
import type { TeacherParameters, TeacherReference } from './teacher.ts';
import { teacherTreatment, treatments } from './treatments.ts';

export type Wanted = {
  /**
   * In the order in which they are to start: the teacher; then seed by seed, so that the first seed gives a complete
   * comparison earliest; within a seed student by student, its baseline and then the arms, all in the order of the
   * spec; then the scarcity stage; the explanation last. Runs of a search are not among them, but for those whose
   * configuration was the best: they are the first seed of the main stage.
   */
  readonly runs: readonly WantedRun[];
  readonly scarcity: ScarcityChoice;
  readonly studies: readonly StudyState[];
  /** Those of the Runs that play a part outside of the search: of its own only what it found. */
  readonly shown: readonly Run[];
  /** Runs of studies that there are no more. */
  readonly left: readonly Run[];
  /** What a Run of a search is told of the teacher. */
  readonly teacher: TeacherParameters;
};

/**
 * What one plan may keep for the next of the same Experiment, to be quicker: its main stage, which changes only with
 * the spec, and what was made of the Runs of its search. Nothing depends on it.
 */
export type Memory = {
  main?: { readonly of: string; readonly runs: readonly WantedRun[] };
  runs?: RunsMemory;
};

/**
 * The Runs an Experiment describes. `all` are those that exist: the later stages depend on their results, and the
 * teacher that was trained first stays the teacher when seeds are added before its own.
 *
 * `external` is where `spec.teacher.from` was found; while it is unknown, names are the same and distilled Runs have
 * no `teacherRun`.
 */
export function wantedRuns(
  experiment: Experiment,
  all: readonly Run[],
  external?: TeacherReference,
  memory: Memory = {},
): Wanted {
  const { spec } = experiment;
  memory.runs ??= new RunsMemory();
  const { runs: known } = memory;
  const blocks = known.blocksOf(all).map((block) => partsOf(block, experiment.metadata.name, known));
  const states = studyStates(experiment, blocks, known);
  // Of a search, which may have thousands, only what it found plays a part in the other stages.
  const runs = [...blocks.flatMap(({ others }) => others), ...states.flatMap(({ best }) => best?.run ?? [])];
  const tuned = states.find(({ treatment }) => treatment.role === 'teacher');
  const own = tuned
    ? tunedTeacher(tuned, spec, runNamer(experiment))
    : ownTeacher(spec, runs, runNamer(experiment));
  const names = new Set(states.map(({ study }) => study.name));
  const studies = states.map((study) => unlessTeacherFailed(study, own, runs));
  const namer = runNamer(experiment, tuned && own?.name);
  const teacher = own ? { teacherRun: own.name } : givenTeacher(spec, external);
  const main =
    studies.length > 0
      ? [...(own ? [own] : []), ...foundRuns(spec, runs, studies, teacher, namer)]
      : remembered(experiment, teacher, memory, () => [
          ...(own ? [own] : []),
          ...withSeeds(treatments(spec, 'main', spec.distillation, teacher), spec.seeds, namer),
        ]);
  const isSearching = !studies.every(isSettled);
  const scarcity = chooseArm(experiment, main, runs, isSearching);
  const trained = [...main, ...scarceRuns(spec, scarcity, runs, studies, teacher, namer)];
  const explained = explanationRuns(experiment, trained, runs, teacher, namer, isSearching);
  // Of a sweep that was changed.
  const left = blocks.flatMap(({ byStudy }) =>
    [...byStudy].flatMap(([study, part]) => (names.has(study) ? [] : part.runs)),
  );
  return { runs: [...trained, ...explained], scarcity, studies, shown: runs, left, teacher };
}

/** Nothing is searched for students whose teacher will never be there. */
function unlessTeacherFailed(
  study: StudyState,
  own: WantedRun | undefined,
  runs: readonly Run[],
): StudyState {
  if (study.treatment.role !== 'distilled' || own === undefined) return study;
  const teacher = runs.find(({ metadata }) => metadata.name === own.name);
  if (teacher === undefined || !hasEnded(teacher) || phaseOf(teacher) === 'Succeeded') return study;
  // Why is told by TeacherReady, once and not in every study.
  const message = `Run ${own.name}, the teacher, ended ${phaseOf(teacher)}.`;
  return { ...study, state: 'failed', over: { reason: 'TeacherFailed', message } };
}

/**
 * The main stage of an Experiment with a search: what was found, with every seed. Of the seed that it was found with it
 * is the Run that found it.
 *
 * Until a study has ended the Runs that exist stay wanted as they are: it was open again.
 */
function foundRuns(
  spec: ExperimentSpec,
  runs: readonly Run[],
  studies: readonly StudyState[],
  teacher: TeacherParameters,
  namer: RunNamer,
): readonly WantedRun[] {
  const teacherStudy = studies.find(({ treatment }) => treatment.role === 'teacher');
  const kinds = treatments(spec, 'main', spec.distillation, teacher).map((treatment) => {
    const state = studies.find((study) => isOf(study.treatment, treatment));
    const isKnown =
      (state === undefined || state.state === 'ended') &&
      (treatment.role !== 'distilled' || teacherStudy === undefined || teacherStudy.state === 'ended');
    if (!isKnown) return existing(treatment, runs);
    const found = withValues(treatment, sweptValues(state?.best?.trial.values ?? {}));
    const nameOf = namer(found);
    return (seed: number) => [
      { name: (state && finder(state, seed)) ?? nameOf(seed), parameters: { ...found, seed } },
    ];
  });
  return spec.seeds.flatMap((seed) => kinds.flatMap((of) => of(seed)));
}

/** Those of the main stage that are there, of one student in one way. */
function existing(treatment: Treatment, runs: readonly Run[]): (seed: number) => readonly WantedRun[] {
  const own = runs.filter(
    ({ spec: { parameters, trial } }) =>
      trial === undefined && parameters.stage === 'main' && isOf(parameters, treatment),
  );
  return (seed) =>
    own
      .filter((run) => run.spec.parameters.seed === seed)
      .map((run) => ({ name: run.metadata.name, parameters: run.spec.parameters }));
}

type Kind = Pick<Treatment, 'role' | 'student' | 'arm'>;

function isOf(one: Kind, other: Kind): boolean {
  return one.role === other.role && one.student === other.student && one.arm === other.arm;
}

/** The Run that found the best configuration, where it was trained with this seed and to its end, or still can be. */
function finder({ best }: StudyState, seed: number): string | undefined {
  if (best === undefined || best.run.spec.parameters.seed !== seed) return undefined;
  return best.trial.state === 'stopped' ? undefined : best.run.metadata.name;
}

/** The teacher is trained once: the Run that found how. */
function tunedTeacher(study: StudyState, spec: ExperimentSpec, namer: RunNamer): WantedRun | undefined {
  const treatment = teacherTreatment(spec, 'main');
  if (study.state !== 'ended' || study.best === undefined || treatment === undefined) return undefined;
  const { seed } = study.best.run.spec.parameters;
  const found = withValues(treatment, sweptValues(study.best.trial.values));
  return { name: finder(study, seed) ?? namer(found)(seed), parameters: { ...found, seed } };
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
  studies: readonly StudyState[],
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
  const found = treatments(scarce, 'scarcity', arms, teacher).map((treatment) => {
    const tuned = withValues(treatment, bestValues(studies, treatment));
    return { ...tuned, dataset: { ...tuned.dataset, fraction: scarcity.fraction } };
  });
  const possible = withSeeds(found, seeds, namer);
  if (choice.state === 'chosen') return possible;
  const existing = new Set(runs.map((run) => run.metadata.name));
  return possible.filter(({ name }) => existing.has(name));
}

/** What was found for this arm, or for baselines: of the student for which it came to most. */
function bestValues(studies: readonly StudyState[], { role, arm }: Treatment): SweptValues {
  const [best] = studies
    .filter(({ treatment }) => treatment.role === role && treatment.arm === arm)
    .flatMap((study) => study.best?.trial ?? [])
    .sort((a, b) => (b.reports.at(-1)?.value ?? 0) - (a.reports.at(-1)?.value ?? 0));
  return sweptValues(best?.values ?? {});
}

/**
 * The teacher is trained once, with the first seed. If Runs already know a teacher of this Experiment, it stays that
 * one: adding a seed before the first must not train a second teacher.
 */
function ownTeacher(spec: ExperimentSpec, runs: readonly Run[], namer: RunNamer): WantedRun | undefined {
  const treatment = teacherTreatment(spec, 'main');
  if (treatment === undefined) return undefined;
  const possible = new Set([...spec.seeds, ...runs.map((run) => run.spec.parameters.seed)]);
  const candidates = withSeeds([treatment], [...possible], namer);
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
