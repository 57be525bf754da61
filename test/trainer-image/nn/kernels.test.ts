import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as kernels from '@destillml/trainer/nn/kernels.ts';
import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  tf,
} from '@destillml/trainer/tensorflow/tf.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { filled } from '../models/filled.ts';

/** A case of test/reference/kernels.py. */
interface Case {
  readonly operation: string;
  readonly size?: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly output: readonly number[];
  /** Of the sum of the output weighted by `direction`. */
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  readonly running?: Readonly<Record<'mean' | 'variance', readonly number[]>>;
}

const cases: readonly Case[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/kernels.json'), 'utf8'),
);

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

function given(name: string, shape: readonly number[], scale = 1, offset = 0): Tensor {
  const size = shape.reduce((product, side) => product * side, 1);
  return tf.tensor(filled(name, size, scale, offset), [...shape]);
}

const running = () => ({
  mean: given('mean', [3], 0.3, 1) as Tensor1D,
  variance: given('variance', [3], 0.3, 1) as Tensor1D,
});

function compute({ operation, size = 0, stride = 1, padding = 0 }: Case, inputs: readonly Tensor[]): Tensor {
  const [first, second, third] = inputs as Tensor[];
  const x = first as Tensor4D;
  switch (operation) {
    case 'conv2d':
      return kernels.conv2d(x, second as Tensor4D, { stride, padding });
    case 'depthwiseConv2d':
      return kernels.depthwiseConv2d(x, second as Tensor4D, { stride, padding });
    case 'maxPool':
      return kernels.maxPool(x, size, { stride, padding });
    case 'relu':
      return kernels.relu(x);
    case 'globalAveragePool':
      return kernels.globalAveragePool(x);
    case 'softmaxCrossEntropy':
      return kernels.softmaxCrossEntropy(
        first as Tensor as Tensor2D,
        tf.softmax(tf.mul(given('targets', x.shape), 3)) as Tensor2D,
      );
    case 'batchNormTraining':
      return kernels.batchNormTraining(x, second as Tensor1D, third as Tensor1D, running(), 0.1, () => {});
    case 'batchNormInference': {
      const { mean, variance } = running();
      const [scale, shift] = [given('scale', [3]) as Tensor1D, given('shift', [3]) as Tensor1D];
      return kernels.batchNormInference(x, scale, shift, mean, variance);
    }
    default:
      throw new RangeError(operation);
  }
}

function expectClose(found: Tensor, expected: readonly number[]): void {
  const values = found.dataSync();
  expect(values).toHaveLength(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  const errors = expected.map((value, index) => Math.abs(values[index]! - value));
  expect(Math.max(...errors)).toBeLessThanOrEqual(1e-5 * largest);
}

describe('against PyTorch', () => {
  test.each(cases)(
    '$operation $shapes, size $size, stride $stride, padding $padding: value and gradients',
    (expected) => {
      const inputs = Object.entries(expected.shapes).map(([key, shape]) => given(key, shape));
      let direction: Tensor | undefined;
      const weighted = (...tensors: Tensor[]) => {
        const output = compute(expected, tensors);
        expectClose(output, expected.output);
        direction = given('direction', output.shape);
        return tf.sum(tf.mul(output, direction)).asScalar();
      };
      const gradients = tf.grads(weighted)(inputs);
      Object.values(expected.gradients).forEach((values, index) => {
        expectClose(gradients[index]!, values);
      });
    },
  );

  test('batchNormTraining averages running statistics with the unbiased variance', () => {
    const { shapes, running: expected } = cases.find(({ operation }) => operation === 'batchNormTraining')!;
    const [x, scale, shift] = Object.entries(shapes).map(([key, shape]) => given(key, shape));
    kernels.batchNormTraining(
      x as Tensor4D,
      scale as Tensor1D,
      shift as Tensor1D,
      running(),
      0.1,
      (found) => {
        expectClose(found.mean, expected!.mean);
        expectClose(found.variance, expected!.variance);
      },
    );
    expect.assertions(4);
  });
});

test('maxPool never takes the padding, even where all values are negative', () => {
  const x = tf.fill([1, 4, 4, 1], -3) as Tensor4D;
  expect([...kernels.maxPool(x, 3, { stride: 2, padding: 1 }).dataSync()]).toEqual([-3, -3, -3, -3]);
});

test('projectiveTransform reads each output pixel from where its image’s transform says', () => {
  const images = tf.tensor4d([1, 2, 3, 4, 1, 2, 3, 4], [2, 2, 2, 1]);
  const right = [1, 0, -1, 0, 1, 0, 0, 0];
  const half = [1, 0, 0.5, 0, 1, 0, 0, 0];
  const moved = kernels.projectiveTransform(images, tf.tensor2d([right, half]));
  expect([...moved.dataSync()]).toEqual([0, 1, 0, 3, 1.5, 1, 3.5, 2]);
});

test('topIndices are those of the largest logits, largest first', () => {
  const logits = tf.tensor2d([
    [0, 3, 1, 2],
    [9, -1, 8, 7],
  ]);
  expect(kernels.topIndices(logits, 2).arraySync()).toEqual([
    [1, 3],
    [0, 2],
  ]);
});
