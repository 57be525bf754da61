/** The cases of test/reference/distillation.py, and what it takes to compute them here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DistillationObjective } from '@destillml/core/api/distillation.ts';
import { createObjective } from '@destillml/trainer/distillation/objective.ts';
import { softmaxCrossEntropy } from '@destillml/trainer/nn/kernels.ts';
import type { Functions, InputSpec, Values } from '@destillml/trainer/nn/program.ts';
import { Variables } from '@destillml/trainer/nn/variables.ts';
import type { Tensor, Tensor2D, Tensor4D } from '@destillml/trainer/tensorflow/tf.ts';
import { tf } from '@destillml/trainer/tensorflow/tf.ts';

type Shape = readonly [height: number, width: number, channels: number];

export interface Case {
  readonly name: string;
  readonly objective: DistillationObjective;
  readonly batch: number;
  readonly classes: number;
  readonly training: boolean;
  readonly student: readonly Shape[];
  readonly teacher: readonly Shape[];
  readonly terms: Readonly<Record<string, number>>;
  readonly loss: number;
  readonly gradients: {
    readonly logits: readonly number[];
    readonly stages: readonly (readonly number[] | null)[];
    readonly regressor: Readonly<Record<string, readonly number[]>>;
  };
  /** Running statistics of the regressor afterwards. */
  readonly statistics: Readonly<Record<string, readonly number[]>>;
}

export const cases: readonly Case[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/distillation.json'), 'utf8'),
);

/** Multiples of 1/1000 in [−1, 1], as the script computes them. */
export function values(seed: number, size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => {
    const hashed = ((i * 37 + seed * 101 + 11) % 2003) ** 3 % 2003;
    return (Math.min(hashed, 2000) - 1000) / 1000;
  });
}

const size = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

function inputsOf(
  seed: number,
  network: 'student' | 'teacher',
  { batch, classes, [network]: stages }: Case,
): [string, readonly number[], Float32Array][] {
  return [
    [`${network}/logits`, [batch, classes], values(seed, batch * classes).map((value) => 4 * value)],
    ...stages.map((stage, index): [string, readonly number[], Float32Array] => {
      const shape = [batch, ...stage];
      return [`${network}/${index}`, shape, values(seed + 1 + index, size(shape))];
    }),
  ];
}

const stageShapesOf = (stages: readonly Shape[]) =>
  stages.map(([height, width, channels]) => ({ height, width, channels }));

/** A case as a function `step` of the student's and the teacher's features: terms, loss and gradients. */
export function programOf(given: Case): { functions: Functions; values: Values; variables: Variables } {
  const inputs = [...inputsOf(100, 'student', given), ...inputsOf(200, 'teacher', given)];
  const variables = new Variables((_, shape) => values(300, size(shape)));
  // Stands for the student's: a program is never without variables.
  variables.filled('fc.bias', 'bias', 1, 0);
  const objective = createObjective(
    given.objective,
    { student: stageShapesOf(given.student), teacher: stageShapesOf(given.teacher) },
    variables,
  );
  for (const { kind, variable } of variables.all) {
    if (kind === 'weight') continue;
    const seed = { scale: 301, shift: 302, bias: 302, mean: 303, variance: 304 }[kind];
    const offset = kind === 'scale' || kind === 'variance' ? 2 : 0;
    variable.assign(tf.tensor1d(values(seed, variable.size).map((value) => value + offset)));
  }
  const features = (network: 'student' | 'teacher', tensors: Readonly<Record<string, Tensor>>) => ({
    logits: tensors[`${network}/logits`] as Tensor2D,
    stages: given[network].map((_, index) => tensors[`${network}/${index}`] as Tensor4D),
  });
  const body = (tensors: Readonly<Record<string, Tensor>>) => {
    const student = features('student', tensors);
    const teacher = features('teacher', tensors);
    const outputs: Record<string, Tensor> = {};
    const labels = tf.tidy(() => {
      const classes = Int32Array.from({ length: given.batch }, (_, i) => i % given.classes);
      return tf.oneHot(tf.tensor1d(classes, 'int32'), given.classes) as Tensor2D;
    });
    const loss = () => {
      const terms = objective.terms(student, teacher, given.training);
      for (const [name, term] of Object.entries(terms)) outputs[`term/${name}`] = tf.keep(term);
      const own = tf.mul(
        softmaxCrossEntropy(student.logits, tf.cast(labels, 'float32')),
        objective.crossEntropyWeight,
      );
      return Object.values(terms).reduce((sum, term) => tf.add(sum, term), own);
    };
    const trained = given.training ? variables.trainable.slice(1) : [];
    const wanted: [string, Tensor][] = [
      ['gradient/logits', student.logits],
      ...student.stages.map((stage, index): [string, Tensor] => [`gradient/${index}`, stage]),
      ...trained.map(({ name, variable }): [string, Tensor] => [`gradient/${name}`, variable]),
      ['gradient/teacher/logits', teacher.logits],
      ...teacher.stages.map((stage, index): [string, Tensor] => [`gradient/teacher/${index}`, stage]),
    ];
    const sources = wanted.map(([, tensor]) => tensor);
    const { value, grads } = tf.engine().gradients(loss, sources, undefined, true);
    outputs.loss = value;
    // A tensor that the loss does not depend on has no gradient.
    wanted.forEach(([name], index) => {
      const gradient = grads[index] as Tensor | null | undefined;
      if (gradient) outputs[name] = gradient;
    });
    return outputs;
  };
  const specs = inputs.map(([key, shape]): [string, InputSpec] => [key, { dtype: 'float32', shape }]);
  return {
    functions: { step: { inputs: Object.fromEntries(specs), body } },
    values: Object.fromEntries(inputs.map(([key, , array]) => [key, array])),
    variables,
  };
}

/** Largest difference, as a share of the largest expected value. */
export function relativeError(actual: ArrayLike<number>, expected: readonly number[]): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  const scale = Math.max(...expected.map(Math.abs));
  const difference = Math.max(...expected.map((value, i) => Math.abs((actual[i] ?? Number.NaN) - value)));
  return scale === 0 ? difference : difference / scale;
}

/** Features `[batch, height, width, channels]` by formula, some of them 0 as after a ReLU. */
export function featuresOf(seed: number, batch: number, [height, width, channels]: Shape): Tensor4D {
  const shape: [number, number, number, number] = [batch, height, width, channels];
  return tf.tensor4d(
    values(seed, size(shape)).map((value) => Math.max(value, 0)),
    shape,
  );
}

/** Value of a scalar function and its gradient with respect to x. */
export function differentiate<T extends Tensor>(
  f: (x: T) => Tensor,
  x: T,
): { value: number; gradient: Float32Array } {
  return tf.tidy(() => {
    const { value, grad } = tf.valueAndGrad(f as (x: Tensor) => Tensor)(x);
    return { value: value.dataSync()[0]!, gradient: Float32Array.from(grad.dataSync()) };
  });
}
