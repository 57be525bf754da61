import { DestillError } from '@destillml/core/errors.ts';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { type NamedTensors, type NetworkDescription, networkTensors } from '../artifacts/checkpoint.ts';
import { unchecked } from '../artifacts/put-aside.ts';
import { trainedNetwork } from '../artifacts/trained-network.ts';
import { createObjective } from '../distillation/objective.ts';
import { shapesOf } from '../distillation/stages.ts';
import { countFlops } from '../models/flops.ts';
import { buildNetwork } from '../models/registry.ts';
import { capturedProgram } from '../nn/capture.ts';
import { kaiming } from '../nn/initial.ts';
import { eagerProgram, type Program } from '../nn/program.ts';
import { Variables } from '../nn/variables.ts';
import { givenTeacher } from '../onnx-teacher/given-teacher.ts';
import type { TeacherFile } from '../onnx-teacher/teacher-file.ts';
import { evaluationFunction, type Lesson, trainingFunction } from './functions.ts';
import { withVelocities } from './optimizer.ts';

/** Everything in TensorFlow's memory that a Run trains with. */
export interface Session {
  readonly program: Program;
  readonly network: NetworkDescription;
  /** The network itself: what the best checkpoint and other Runs need. */
  readonly networkTensors: readonly NamedTensors[];
  /** The network, its velocities and the regressor: what training goes on from. */
  readonly trainingTensors: readonly NamedTensors[];
  readonly parameters: number;
  readonly flops: number;
}

/** Names of the program's functions. */
export const functionNames = {
  train: (batch: number) => `train-${batch}`,
  evaluate: 'evaluate',
};

export interface SessionOptions {
  readonly classes: number;
  readonly imageSize: number;
  /** Sizes of training batches: the full one and that of the last of an epoch. */
  readonly trainingBatches: readonly number[];
  readonly evaluationBatch: number;
  /** For distilled Runs: folder with the teacher's artifacts, or its ONNX file. */
  readonly teacher: string | TeacherFile | undefined;
  readonly note: (message: string) => void;
}

/** Builds the networks of a Run with their initial weights, and the program that trains and evaluates them. */
export function openSession(assignment: Assignment, options: SessionOptions): Session {
  const { parameters: run } = assignment;
  const { classes, imageSize } = options;
  const studentVariables = new Variables(kaiming(run.seed));
  const student = buildNetwork(run.model, { variables: studentVariables, classes, imageSize });
  const regressorVariables = new Variables(kaiming(run.seed));
  const teacher = openTeacher(assignment, options);
  const distillation = teacher && {
    teacher: teacher.network,
    objective: createObjective(
      teacher.objective,
      { student: shapesOf(student, imageSize), teacher: shapesOf(teacher.network, imageSize) },
      regressorVariables,
    ),
  };

  const studentTrained = withVelocities(studentVariables.trainable);
  const regressorTrained = withVelocities(regressorVariables.trainable);
  const lesson: Lesson = {
    student,
    trained: [...studentTrained, ...regressorTrained],
    ...(distillation && { distillation }),
    classes,
    imageSize,
    labelSmoothing: run.training.labelSmoothing,
    sgd: run.training.optimizer,
    augmented: Object.keys(run.dataset.augmentation).length > 0,
  };
  const functions = {
    ...Object.fromEntries(
      options.trainingBatches.map((batch) => [functionNames.train(batch), trainingFunction(lesson, batch)]),
    ),
    [functionNames.evaluate]: evaluationFunction(student, classes, imageSize, options.evaluationBatch),
  };

  const network = networkTensors(studentVariables.all);
  const prefixed = (prefix: string, tensors: readonly NamedTensors[]) =>
    tensors.map(({ name, variable }) => ({ name: `${prefix}/${name}`, variable }));
  const velocities = (trained: typeof studentTrained) =>
    trained.map(({ parameter, velocity }) => ({ name: parameter.name, variable: velocity }));
  const trainingTensors = [
    ...network,
    ...prefixed('velocity', velocities(studentTrained)),
    ...prefixed('regressor', networkTensors(regressorVariables.all)),
    ...prefixed('regressor-velocity', velocities(regressorTrained)),
  ];
  const teacherTensors = teacher ? networkTensors(teacher.network.variables.all) : [];
  const everything = [...trainingTensors, ...teacherTensors].map(({ variable }) => variable);
  const flops = countFlops(student, imageSize);
  const program = assignment.capture ? capturedProgram(everything, functions) : eagerProgram(functions);
  teacher?.load(program);

  return {
    program,
    network: { model: run.model, classes, imageSize, seed: run.seed },
    networkTensors: network,
    trainingTensors,
    parameters: studentVariables.trainable.reduce((sum, { variable }) => sum + variable.size, 0),
    flops,
  };
}

/** The teacher of a distilled Run and what is learned from it; `load` gives it its weights. */
function openTeacher({ parameters }: Assignment, { classes, imageSize, teacher, note }: SessionOptions) {
  if (parameters.role !== 'distilled') return undefined;
  const { objective } = parameters;
  if (objective === undefined || Object.keys(objective).length === 0) {
    throw new DestillError(
      'InvalidSpec',
      'parameters.objective names no technique: a distilled Run needs one.',
    );
  }
  if (teacher === undefined) {
    throw new DestillError(
      'TeacherMissing',
      'teacherArtifacts is not set: a distilled Run needs its teacher.',
    );
  }
  if (typeof teacher !== 'string') {
    const network = givenTeacher(teacher, parameters.teacherOnnx ?? {}, { classes, imageSize });
    return { objective, network, load: () => undefined };
  }
  const found = trainedNetwork(teacher, { classes, imageSize });
  if (!found.isChecked) note(unchecked(found.path));
  const variables = new Variables(kaiming(found.seed));
  const network = buildNetwork(found.model, { variables, classes, imageSize });
  return { objective, network, load: (program: Program) => found.load(program, variables) };
}
