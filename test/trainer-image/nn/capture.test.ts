import { createObjective } from '@destillml/trainer/distillation/objective.ts';
import { buildNetwork } from '@destillml/trainer/models/registry.ts';
import { capturedProgram } from '@destillml/trainer/nn/capture.ts';
import { kaiming } from '@destillml/trainer/nn/initial.ts';
import { eagerProgram, type Functions, type Program, type Values } from '@destillml/trainer/nn/program.ts';
import { Variables } from '@destillml/trainer/nn/variables.ts';
import { tf, type Variable } from '@destillml/trainer/tensorflow/tf.ts';
import {
  evaluationFunction,
  featureFunction,
  type Lesson,
  trainingFunction,
} from '@destillml/trainer/training/functions.ts';
import { withVelocities } from '@destillml/trainer/training/optimizer.ts';
import { describe, expect, test } from 'vitest';

const [classes, imageSize, batch] = [10, 16, 6];

/** A student, its teacher and all that training and evaluating them takes; the same at every call. */
function setting() {
  const variables = new Variables(kaiming(1));
  const student = buildNetwork('resnet8', { variables, classes, imageSize });
  const teacherVariables = new Variables(kaiming(2));
  const teacher = buildNetwork('resnet14', { variables: teacherVariables, classes, imageSize });
  const shapes = [16, 8, 4].map((side, index) => ({ height: side, width: side, channels: 16 << index }));
  const regressor = new Variables(kaiming(3));
  const objective = createObjective(
    {
      softTargets: { temperature: 4, weight: 0.9 },
      similarityPreserving: { weight: 10 },
      attentionTransfer: { weight: 10 },
      hints: { stage: 2, weight: 1 },
    },
    { student: shapes, teacher: shapes },
    regressor,
  );
  const ofStudent = withVelocities(variables.trainable);
  const trained = [...ofStudent, ...withVelocities(regressor.trainable)];
  const lesson: Lesson = {
    student,
    trained: ofStudent,
    classes,
    imageSize,
    labelSmoothing: 0.1,
    sgd: { momentum: 0.9, weightDecay: 5e-4 },
    augmented: true,
  };
  const functions: Functions = {
    plain: trainingFunction(lesson, batch),
    distilled: trainingFunction({ ...lesson, trained, distillation: { teacher, objective } }, batch),
    evaluate: evaluationFunction(student, classes, imageSize, batch),
    features: featureFunction(student, imageSize, batch),
  };
  const all: Variable[] = [
    ...[...variables.all, ...regressor.all, ...teacherVariables.all].map(({ variable }) => variable),
    ...trained.map(({ velocity }) => velocity),
  ];
  return { functions, all };
}

const images = Uint8Array.from(
  { length: batch * imageSize * imageSize * 3 },
  (_, i) => (i * 2654435761) % 256,
);
const labels = Int32Array.from({ length: batch }, (_, i) => i % classes);
const training: Values = {
  images,
  labels,
  transforms: Float32Array.from({ length: batch * 8 }, (_, i) => [1, 0.1, -1, -0.1, 1, 1, 0, 0][i % 8] ?? 0),
  colours: Float32Array.from(
    { length: batch * 10 },
    (_, i) => [0.9, 0.1, 0, 0, 1, 0, 0, 0, 1, 0.05][i % 10] ?? 0,
  ),
  rate: Float32Array.of(0.05),
};
const inputsOf: Readonly<Record<string, Values>> = {
  plain: training,
  distilled: training,
  evaluate: { images, labels },
  features: { images },
};

function expectClose(found: Float32Array, expected: Float32Array, what: string): void {
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3);
  const difference = found.reduce(
    (largest, value, i) => Math.max(largest, Math.abs(value - expected[i]!)),
    0,
  );
  expect(difference / scale, what).toBeLessThan(1e-4);
}

describe('a captured program gives the numbers of eager execution', () => {
  const captured = setting();
  const eager = setting();
  const graph = capturedProgram(captured.all, captured.functions);
  const direct = eagerProgram(eager.functions);

  test.each(['features', 'evaluate', 'plain', 'distilled', 'evaluate'])('%s', (name) => {
    const inputs = inputsOf[name]!;
    for (let step = 0; step < 2; step++) {
      const found = graph.run(name, inputs);
      const expected = direct.run(name, inputs);
      expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
      for (const [key, values] of Object.entries(expected))
        expectClose(found[key]!, values, `${name}: ${key}`);
    }
    const [a, b] = [graph.read(captured.all), direct.read(eager.all)];
    for (const [index, values] of a.entries()) expectClose(values, b[index]!, `${name}: variable ${index}`);
  });
});

describe('a captured program', () => {
  const twice: Functions = {
    add: {
      inputs: { x: { dtype: 'float32', shape: [2] } },
      body: ({ x }) => {
        sum.assign(tf.add(sum, x!));
        return { sum: sum.clone() };
      },
    },
  };
  const sum = tf.variable(tf.tensor1d([1, 2]));
  const use = <T>(body: (program: Program) => T): T => {
    const program = capturedProgram([sum], twice);
    try {
      return body(program);
    } finally {
      program.dispose();
    }
  };

  test('starts with the values that its variables have, and leaves those alone', () => {
    use((program) => {
      expect(program.run('add', { x: Float32Array.of(10, 20) }).sum).toEqual(Float32Array.of(11, 22));
      expect(program.run('add', { x: Float32Array.of(10, 20) }).sum).toEqual(Float32Array.of(21, 42));
      expect(sum.dataSync()).toEqual(Float32Array.of(1, 2));
    });
  });

  test('keeps a copy of the values that it is given', () => {
    use((program) => {
      const values = Float32Array.of(5, 6);
      program.write([sum], [values]);
      program.run('add', { x: Float32Array.of(1, 1) });
      expect(values).toEqual(Float32Array.of(5, 6));
      expect(program.read([sum])).toEqual([Float32Array.of(6, 7)]);
    });
  });

  test('says which input is missing, and which function does not exist', () => {
    use((program) => {
      expect(() => program.run('add', {})).toThrowError('input "x" of "add" is missing');
      expect(() => program.run('subtract', {})).toThrowError('program has no function "subtract"');
    });
  });
});
