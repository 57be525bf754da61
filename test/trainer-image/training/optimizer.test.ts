import { readFileSync } from 'node:fs';
import { Variables } from '@destillml/trainer/nn/variables.ts';
import { type Tensor2D, tf } from '@destillml/trainer/tensorflow/tf.ts';
import { applySgd, withVelocities } from '@destillml/trainer/training/optimizer.ts';
import { learningRate } from '@destillml/trainer/training/schedule.ts';
import { expect, test } from 'vitest';

/** Written by test/reference/sgd.py. */
const reference = JSON.parse(readFileSync(new URL('../../fixtures/sgd.json', import.meta.url), 'utf8')) as {
  x: number[][];
  y: number[][];
  steps: { rate: number; loss: number; weight: number[]; bias: number[] }[];
};

test('momentum, weight decay on weights only, warm-up and cosine are those of PyTorch to 1e-6', () => {
  const variables = new Variables(() => Float32Array.of(0.5, -1, 2, 0.25));
  const weight = variables.weight<Tensor2D>('fc.weight', [2, 2], { fanIn: 2, fanOut: 2 });
  const bias = variables.filled('fc.bias', 'bias', 2, 0);
  bias.assign(tf.tensor1d([0.1, -0.2]));
  const trained = withVelocities(variables.trainable);
  const [x, y] = [tf.tensor2d(reference.x), tf.tensor2d(reference.y)];
  const schedule = { peak: 0.5, warmupSteps: 2, totalSteps: 5 };
  reference.steps.forEach((expected, step) => {
    const rate = learningRate(schedule, step);
    expect(rate).toBeCloseTo(expected.rate, 12);
    const loss = tf.tidy(() => {
      const { value, grads } = tf.variableGrads(
        () => tf.mean(tf.square(tf.sub(tf.add(tf.matMul(x, weight), bias), y))).asScalar(),
        trained.map(({ parameter }) => parameter.variable),
      );
      applySgd(trained, grads, tf.scalar(rate), { momentum: 0.9, weightDecay: 0.01 });
      return value.dataSync()[0]!;
    });
    expect(loss).toBeCloseTo(expected.loss, 6);
    Array.from(weight.dataSync()).forEach((value, i) => {
      expect(value).toBeCloseTo(expected.weight[i]!, 6);
    });
    Array.from(bias.dataSync()).forEach((value, i) => {
      expect(value).toBeCloseTo(expected.bias[i]!, 6);
    });
  });
});

test('weights decay; scales, shifts and biases do not', () => {
  const variables = new Variables(() => Float32Array.of(1, 1));
  variables.weight<Tensor2D>('fc.weight', [2, 1], { fanIn: 2, fanOut: 1 });
  for (const kind of ['scale', 'shift', 'bias'] as const) variables.filled(kind, kind, 2, 1);
  const trained = withVelocities(variables.trainable);
  const zeros = Object.fromEntries(
    trained.map(({ parameter: { variable } }) => [variable.name, tf.zerosLike(variable)]),
  );
  applySgd(trained, zeros, tf.scalar(0.5), { momentum: 0.9, weightDecay: 0.1 });
  const after = trained.map(({ parameter: { kind, variable } }) => [kind, variable.dataSync()[0]]);
  expect(Object.fromEntries(after)).toEqual({ weight: Math.fround(0.95), scale: 1, shift: 1, bias: 1 });
});
