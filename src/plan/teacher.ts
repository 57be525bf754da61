import type { Experiment } from '../api/experiment.ts';
import type { ModelName } from '../api/models.ts';
import { onnxTeacherAddress } from '../api/onnx-teacher.ts';
import type { Run, RunParameters, RunResult } from '../api/run.ts';
import type { WantedRun } from './naming.ts';
import { isFinal, outcomeOf, phaseOf } from './phases.ts';
import type { StudyState } from './study-state.ts';

/** Where the teacher's network is. */
export type TeacherReference = { readonly run: string; readonly namespace?: string };

/** What a Run is told of the teacher of its Experiment; nothing while it is not known. */
export type TeacherParameters = Pick<RunParameters, 'teacherRun' | 'teacherNamespace' | 'teacherOnnx'>;

/** What the caller found for `spec.teacher.from`, a file aside; model and result are for the comparison, where they are known. */
export type ExternalTeacher =
  | (TeacherReference & { readonly model?: ModelName; readonly result?: RunResult })
  | { readonly problem: { readonly reason: string; readonly message: string } };

export type TeacherState = {
  /**
   * ready: distilled Runs may start. training: they wait. failed: they never will. unknown: it cannot be said yet
   * which network the teacher is, so they are not even created.
   */
  readonly state: 'ready' | 'training' | 'failed' | 'unknown';
  readonly reason: string;
  readonly message: string;
};

export function referenceTo(teacher: ExternalTeacher | undefined): TeacherReference | undefined {
  if (teacher === undefined || 'problem' in teacher) return undefined;
  return { run: teacher.run, ...(teacher.namespace === undefined ? {} : { namespace: teacher.namespace }) };
}

export function teacherState(
  experiment: Experiment,
  {
    runs: wanted,
    studies,
    shown: runs,
  }: {
    readonly runs: readonly WantedRun[];
    readonly studies: readonly StudyState[];
    readonly shown: readonly Run[];
  },
  external: ExternalTeacher | undefined,
): TeacherState {
  const { model, from } = experiment.spec.teacher;
  if (from?.onnx !== undefined) {
    const message = `The file ${onnxTeacherAddress(from.onnx)} is the teacher.`;
    return { state: 'ready', reason: 'TeacherGiven', message };
  }
  if (model === undefined) return externalState(experiment, wanted, runs, external);
  const study = studies.find(({ treatment }) => treatment.role === 'teacher');
  if (study?.state === 'failed') {
    return {
      state: 'failed',
      reason: 'TeacherFailed',
      message: `The search for the teacher: ${study.over?.message}`,
    };
  }
  if (study !== undefined && study.state !== 'ended') {
    return {
      state: 'training',
      reason: 'TeacherUnfinished',
      message: 'How the teacher is best trained is searched.',
    };
  }
  const name = wanted.find(({ parameters }) => parameters.role === 'teacher')?.name ?? '';
  const run = runs.find(({ metadata }) => metadata.name === name);
  const phase = run ? phaseOf(run) : 'Waiting';
  if (run === undefined || !isFinal(phase)) {
    return {
      state: 'training',
      reason: 'TeacherUnfinished',
      message: `Run ${name} trains the teacher: ${phase}.`,
    };
  }
  if (phase === 'Succeeded') {
    return { state: 'ready', reason: 'TeacherSucceeded', message: `Run ${name} trained the teacher.` };
  }
  return {
    state: 'failed',
    reason: 'TeacherFailed',
    message: `Run ${name}, the teacher, ended ${outcomeOf(run)}`,
  };
}

function externalState(
  experiment: Experiment,
  wanted: readonly WantedRun[],
  runs: readonly Run[],
  external: ExternalTeacher | undefined,
): TeacherState {
  if (external === undefined) {
    return {
      state: 'unknown',
      reason: 'TeacherUnresolved',
      message: 'The teacher of spec.teacher.from has not been looked up yet.',
    };
  }
  if ('problem' in external) return { state: 'unknown', ...external.problem };

  // Students of two different teachers under one name would not be comparable.
  const namespaceOf = (namespace: string | undefined) => namespace ?? experiment.metadata.namespace;
  const names = new Set(wanted.map(({ name }) => name));
  const other = runs.find(({ metadata, spec: { parameters } }) => {
    const { role, teacherRun, teacherNamespace } = parameters;
    const same =
      teacherRun === external.run && namespaceOf(teacherNamespace) === namespaceOf(external.namespace);
    return role === 'distilled' && names.has(metadata.name) && !same;
  });
  if (other) {
    return {
      state: 'unknown',
      reason: 'TeacherChanged',
      message:
        `spec.teacher.from now leads to Run ${external.run}, but Run ${other.metadata.name} was made for the teacher ` +
        `${other.spec.parameters.teacherRun}. Use a new Experiment, or delete the distilled Runs to train them again.`,
    };
  }
  return { state: 'ready', reason: 'TeacherFound', message: `Run ${external.run} is the teacher.` };
}
