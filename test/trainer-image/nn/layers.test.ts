import {
  batchNorm,
  convolution,
  depthwiseConvolution,
  linear,
  maxPool,
} from '@destillml/trainer/nn/layers.ts';
import { type Fans, Variables } from '@destillml/trainer/nn/variables.ts';
import { type Tensor4D, tf } from '@destillml/trainer/tensorflow/tf.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

/** Every weight is 1, and the fans it was asked for are noted. */
function ones() {
  const asked: Record<string, Fans> = {};
  const variables = new Variables((name, shape, fans) => {
    asked[name] = fans;
    return new Float32Array(shape.reduce((size, side) => size * side, 1)).fill(1);
  });
  return { variables, asked };
}

const kinds = ({ all }: Variables) => all.map(({ name, kind, variable }) => [name, kind, variable.shape]);

describe('batchNorm', () => {
  // Mean 2, variance 2 (of four values; unbiased 8/3).
  const x = () => tf.tensor4d([0, 2, 2, 4], [1, 2, 2, 1]);

  test('has scale and shift to train and running statistics that are not', () => {
    const { variables } = ones();
    batchNorm(variables, 'bn', 3, 0);
    expect(kinds(variables)).toEqual([
      ['bn.weight', 'scale', [3]],
      ['bn.bias', 'shift', [3]],
      ['bn.running_mean', 'mean', [3]],
      ['bn.running_var', 'variance', [3]],
    ]);
    expect(variables.trainable.map(({ name }) => name)).toEqual(['bn.weight', 'bn.bias']);
    expect(variables.all.map(({ variable }) => variable.dataSync()[0])).toEqual([0, 0, 0, 1]);
  });

  test('normalises by the batch in training and learns a tenth of its statistics', () => {
    const { variables } = ones();
    const y = batchNorm(variables, 'bn', 1)(x(), true);
    const unit = 2 / Math.sqrt(2 + 1e-5);
    expect(y.dataSync()[0]).toBeCloseTo(-unit, 5);
    expect(y.dataSync()[3]).toBeCloseTo(unit, 5);
    const [, , mean, variance] = variables.all;
    expect(mean!.variable.dataSync()[0]).toBeCloseTo(0.2, 6);
    expect(variance!.variable.dataSync()[0]).toBeCloseTo(0.9 + 0.1 * (8 / 3), 6);
  });

  test('normalises by running statistics in inference and leaves them alone', () => {
    const { variables } = ones();
    const layer = batchNorm(variables, 'bn', 1);
    const [, , mean, variance] = variables.all;
    mean!.variable.assign(tf.tensor1d([1]));
    variance!.variable.assign(tf.tensor1d([4]));
    expect(layer(x(), false).dataSync()[3]).toBeCloseTo(3 / 2, 5);
    expect([mean, variance].map((statistic) => statistic!.variable.dataSync()[0])).toEqual([1, 4]);
  });
});

test('a convolution keeps the size unless told otherwise, and counts fans as PyTorch', () => {
  const { variables, asked } = ones();
  const x = tf.ones([1, 4, 4, 2]) as Tensor4D;
  const y = convolution(variables, 'a', 2, 3, { kernel: 3, bias: true })(x, true);
  expect(y.shape).toEqual([1, 4, 4, 3]);
  // A corner sees 2 × 2 positions of 2 channels, the inside 3 × 3.
  expect([y.dataSync()[0], y.dataSync()[15]]).toEqual([8, 18]);
  expect(convolution(variables, 'b', 2, 3, { kernel: 1, stride: 2 })(x, true).shape).toEqual([1, 2, 2, 3]);
  expect(convolution(variables, 'c', 2, 3, { kernel: 3, padding: 0 })(x, true).shape).toEqual([1, 2, 2, 3]);
  expect(depthwiseConvolution(variables, 'd', 2, 2)(x, true).shape).toEqual([1, 2, 2, 2]);
  expect(kinds(variables).slice(0, 2)).toEqual([
    ['a.weight', 'weight', [3, 3, 2, 3]],
    ['a.bias', 'bias', [3]],
  ]);
  expect(asked).toEqual({
    'a.weight': { fanIn: 18, fanOut: 27 },
    'b.weight': { fanIn: 2, fanOut: 3 },
    'c.weight': { fanIn: 18, fanOut: 27 },
    'd.weight': { fanIn: 9, fanOut: 18 },
  });
});

test('a linear layer adds its bias to the product', () => {
  const { variables } = ones();
  const layer = linear(variables, 'fc', 3, 2);
  variables.all[1]!.variable.assign(tf.tensor1d([10, 20]));
  expect(layer(tf.tensor2d([[1, 2, 3]])).arraySync()).toEqual([[16, 26]]);
});

test('maxPool moves by its size unless told otherwise', () => {
  const x = tf.range(0, 16).reshape([1, 4, 4, 1]) as Tensor4D;
  expect([...maxPool(2)(x, true).dataSync()]).toEqual([5, 7, 13, 15]);
});

test('two variables of one name are refused', () => {
  const { variables } = ones();
  linear(variables, 'fc', 3, 2);
  expect(() => linear(variables, 'fc', 3, 2)).toThrow('variable fc.weight exists twice');
});
