import type { DistillationObjective } from '@destillml/core/api/distillation.ts';
import { createObjective } from '@destillml/trainer/distillation/objective.ts';
import { shapesOf } from '@destillml/trainer/distillation/stages.ts';
import { buildNetwork } from '@destillml/trainer/models/registry.ts';
import { capturedProgram } from '@destillml/trainer/nn/capture.ts';
import { kaiming } from '@destillml/trainer/nn/initial.ts';
import { eagerProgram, type Program } from '@destillml/trainer/nn/program.ts';
import { Variables } from '@destillml/trainer/nn/variables.ts';
import { readOnnxTeacher } from '@destillml/trainer/onnx-teacher/read-onnx-teacher.ts';
import { trainingFunction } from '@destillml/trainer/training/functions.ts';
import { withVelocities } from '@destillml/trainer/training/optimizer.ts';
import { expect, test } from 'vitest';
import { filled } from '../models/filled.ts';
import { fixturePath, options } from './fixture.ts';

const batch = 16;
const size = 16;
const classes = 10;

test.each<[string, DistillationObjective]>([
  ['soft targets', { softTargets: { temperature: 4, weight: 1 } }],
  ['attention transfer', { attentionTransfer: { weight: 100 } }],
  ['hints', { hints: { stage: 2, weight: 10 } }],
  ['similarity', { similarityPreserving: { weight: 100 } }],
])(
  'a student learns by %s from a teacher that PyTorch exported, in the captured step as in the eager one',
  (_, objective) => {
    const captured = lesson(objective, true);
    const losses = Array.from({ length: 12 }, () => captured.step());
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)!).toBeLessThan(0.8 * losses[0]!);

    const before = captured.teacherWeights();
    captured.step();
    expect(captured.teacherWeights()).toEqual(before);
    captured.program.dispose();

    const eager = lesson(objective, false);
    for (const loss of losses.slice(0, 3)) expect(eager.step() / loss).toBeCloseTo(1, 4);
  },
);

test('techniques that compare features say so if no features of the teacher are named', () => {
  const teacher = readOnnxTeacher(fixturePath('captured'), { ...options, features: [], logits: 'logits' });
  const shapes = { student: [{ height: 8, width: 8, channels: 4 }], teacher: shapesOf(teacher, size) };
  const create = (objective: DistillationObjective) =>
    createObjective(objective, shapes, new Variables(kaiming(1)));
  for (const objective of [
    { attentionTransfer: { weight: 1 } },
    { similarityPreserving: { weight: 1 }, softTargets: { temperature: 4, weight: 0.9 } },
    { hints: { stage: 1, weight: 1 } },
  ]) {
    expect(() => create(objective)).toThrow(
      `${Object.keys(objective)[0]} compares features, but no features of the teacher are named`,
    );
  }
  expect(Object.keys(create({ softTargets: { temperature: 4, weight: 0.9 } }))).toContain('terms');
});

/** Steps on one batch, with the weight of the labels as the objective has it; `step` gives the distillation loss. */
function lesson(objective: DistillationObjective, isCaptured: boolean) {
  const variables = new Variables(kaiming(1));
  const student = buildNetwork('resnet8', { variables, classes, imageSize: size });
  const teacher = readOnnxTeacher(fixturePath('traced'), options);
  const regressor = new Variables(kaiming(1));
  const shapes = { student: shapesOf(student, size), teacher: shapesOf(teacher, size) };
  const made = createObjective(objective, shapes, regressor);
  const trained = withVelocities([...variables.trainable, ...regressor.trainable]);
  const functions = {
    train: trainingFunction(
      {
        student,
        trained,
        distillation: { teacher, objective: made },
        classes,
        imageSize: size,
        labelSmoothing: 0,
        sgd: { momentum: 0.9, weightDecay: 0 },
        augmented: false,
      },
      batch,
    ),
  };
  const everything = [
    ...[...variables.all, ...regressor.all, ...teacher.variables.all].map(({ variable }) => variable),
    ...trained.map(({ velocity }) => velocity),
  ];
  const program: Program = isCaptured ? capturedProgram(everything, functions) : eagerProgram(functions);
  const images = Uint8Array.from(filled('pixels', batch * size * size * 3, 127, 128));
  const labels = Int32Array.from({ length: batch }, (_, index) => index % classes);
  return {
    program,
    teacherWeights: () => program.read(teacher.variables.all.map(({ variable }) => variable)),
    step: () => program.run('train', { images, labels, rate: Float32Array.of(0.02) }).distillation![0]!,
  };
}
