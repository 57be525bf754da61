import { averagePoolTo } from '@destillml/trainer/distillation/average-pool.ts';
import type { Tensor4D } from '@destillml/trainer/tensorflow/tf.ts';
import { tf } from '@destillml/trainer/tensorflow/tf.ts';
import { describe, expect, it } from 'vitest';
import { differentiate, relativeError, values } from './reference.ts';

describe('averagePoolTo', () => {
  it('averages windows that share rows and columns where sides do not divide', () => {
    const image = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
    expect([...averagePoolTo(image, 2, 2).dataSync()]).toEqual([3, 4, 6, 7]);
  });

  it('averages rows and columns by factors of their own, each channel by itself', () => {
    const image = tf.tensor4d([1, 10, 3, 30, 5, 50, 7, 70, 9, 90, 11, 110, 13, 130, 15, 150], [1, 4, 2, 2]);
    expect([...averagePoolTo(image, 2, 1).dataSync()]).toEqual([4, 40, 12, 120]);
  });

  it('is TensorFlow’s average pooling, value and gradient, where sides divide', () => {
    const x = tf.tensor4d(values(1, 2 * 8 * 8 * 3), [2, 8, 8, 3]);
    const weights = tf.tensor4d(values(2, 2 * 4 * 4 * 3), [2, 4, 4, 3]);
    const weighted = (pool: (x: Tensor4D) => Tensor4D) =>
      differentiate((input: Tensor4D) => tf.sum(tf.mul(pool(input), weights)), x);
    const ours = weighted((input) => averagePoolTo(input, 4, 4));
    const stock = weighted((input) => tf.avgPool(input, 2, 2, 'valid'));
    expect(ours.value).toBeCloseTo(stock.value, 5);
    expect(relativeError(ours.gradient, [...stock.gradient])).toBeLessThan(1e-6);
  });

  it('gives images of the wanted size back as they are', () => {
    const x: Tensor4D = tf.zeros([1, 4, 3, 2]);
    expect(averagePoolTo(x, 4, 3)).toBe(x);
  });
});
