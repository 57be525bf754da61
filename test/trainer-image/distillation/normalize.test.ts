import { normalizeRows } from '@destillml/trainer/distillation/normalize.ts';
import type { Tensor2D } from '@destillml/trainer/tensorflow/tf.ts';
import { tf } from '@destillml/trainer/tensorflow/tf.ts';
import { describe, expect, it } from 'vitest';
import { differentiate } from './reference.ts';

describe('normalizeRows', () => {
  it('gives every row length 1, and leaves rows of zeros', () => {
    const x = tf.tensor2d([3, -4, 0, 0, 3e-9, 4e-9, 3e15, 4e15], [4, 2]);
    const expected = [0.6, -0.8, 0, 0, 0.6, 0.8, 0.6, 0.8];
    expect([...normalizeRows(x).dataSync()]).toEqual(expected.map((value) => expect.closeTo(value, 6)));
  });

  it('has a gradient across the row, and none at a row of zeros', () => {
    const first = (x: Tensor2D) => tf.sum(tf.mul(normalizeRows(x), tf.tensor2d([[1, 0]])));
    // d/dx of x/√(x² + y²) is y²/r³, d/dy is −xy/r³.
    const { gradient } = differentiate(first, tf.tensor2d([3, 4, 0, 0], [2, 2]));
    expect([...gradient].map((value) => Number(value.toFixed(6)))).toEqual([0.128, -0.096, 0, 0]);
  });
});
