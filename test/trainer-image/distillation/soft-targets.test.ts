import { softTargets } from '@destillml/trainer/distillation/soft-targets.ts';
import type { Tensor2D } from '@destillml/trainer/tensorflow/tf.ts';
import { tf } from '@destillml/trainer/tensorflow/tf.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differentiate } from './reference.ts';

const batch = 3;
const classes = 4;
const matrix = fc
  .array(fc.float({ min: -50, max: 50, noNaN: true }), {
    minLength: batch * classes,
    maxLength: batch * classes,
  })
  .map((values) => values.map((value) => Math.round(value * 1000) / 1000));
const temperature = fc.constantFrom(1, 4, 16, 100);
const logits = (values: readonly number[]) => tf.tensor2d([...values], [batch, classes]);

const distance = (student: readonly number[], teacher: readonly number[], T: number) =>
  tf.tidy(() => differentiate((x: Tensor2D) => softTargets(x, logits(teacher), T), logits(student)));

describe('softTargets', () => {
  it('is 0 without gradient when the student says what the teacher says', () => {
    fc.assert(
      fc.property(matrix, temperature, (values, T) => {
        const { value, gradient } = distance(values, values, T);
        expect(value).toBe(0);
        expect(gradient.every((g) => g === 0)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('is not negative, and its gradient adds up to 0 over the classes of an image', () => {
    fc.assert(
      fc.property(matrix, matrix, temperature, (student, teacher, T) => {
        const { value, gradient } = distance(student, teacher, T);
        expect(value).toBeGreaterThanOrEqual(0);
        for (let image = 0; image < batch; image++) {
          const row = gradient.slice(image * classes, (image + 1) * classes);
          expect(Math.abs(row.reduce((sum, g) => sum + g, 0))).toBeLessThan(1e-5 * T);
        }
      }),
      { numRuns: 25 },
    );
  });

  it.each([1, 4, 100])('stays exact at temperature %i for logits far apart', (T) => {
    const { value, gradient } = tf.tidy(() =>
      differentiate((x: Tensor2D) => softTargets(x, tf.tensor2d([[2000, 0]]), T), tf.tensor2d([[-2000, 0]])),
    );
    // For mirrored logits ±a of two classes, a in units of T: KL = a · tanh(a/2).
    const a = 2000 / T;
    expect(value / (T * T * a * Math.tanh(a / 2))).toBeCloseTo(1, 5);
    expect([...gradient].map((g) => g / T)).toEqual([
      expect.closeTo(-Math.tanh(a / 2), 5),
      expect.closeTo(Math.tanh(a / 2), 5),
    ]);
  });

  it('keeps its precision at the highest temperature when the student is close to its teacher', () => {
    const teacher = Array.from({ length: 100 }, (_, i) => Math.fround(3 * Math.sin(i)));
    const student = teacher.map((z, i) => Math.fround(z + 0.3 * Math.cos(7 * i)));
    const logProbabilities = (z: readonly number[]) => {
      const sum = z.reduce((total, value) => total + Math.exp(value / 100), 0);
      return z.map((value) => value / 100 - Math.log(sum));
    };
    const [p, q] = [logProbabilities(teacher), logProbabilities(student)];
    const kl = p.reduce((sum, value, i) => sum + Math.exp(value) * (value - q[i]!), 0);
    const [value] = tf.tidy(() =>
      softTargets(tf.tensor2d([student]), tf.tensor2d([teacher]), 100).dataSync(),
    );
    expect(value! / (100 ** 2 * kl)).toBeCloseTo(1, 4);
  });
});
