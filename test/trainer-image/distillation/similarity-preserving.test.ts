import { similarityPreserving } from '@destillml/trainer/distillation/similarity-preserving.ts';
import type { Tensor4D } from '@destillml/trainer/tensorflow/tf.ts';
import { tf } from '@destillml/trainer/tensorflow/tf.ts';
import { describe, expect, it } from 'vitest';
import { differentiate, featuresOf } from './reference.ts';

const student = featuresOf(1, 4, [3, 3, 2]);
const teacher = featuresOf(2, 4, [2, 2, 5]);

describe('similarityPreserving', () => {
  it('is 0 without gradient when the student has its teacher’s features', () => {
    const { value, gradient } = differentiate((x: Tensor4D) => similarityPreserving(x, student), student);
    expect(value).toBe(0);
    expect(gradient.every((g) => g === 0)).toBe(true);
  });

  it.each([
    [1e-3, 1],
    [1, 1e3],
    [20, 0.01],
  ])('does not change when features are scaled by %d and %d', (s, t) => {
    const [plain, scaled] = tf.tidy(() => [
      similarityPreserving(student, teacher).dataSync()[0]!,
      similarityPreserving(tf.mul(student, s), tf.mul(teacher, t)).dataSync()[0]!,
    ]);
    expect(scaled / plain).toBeCloseTo(1, 4);
  });

  it('stays finite for an image without features', () => {
    const dead = tf.tensor4d([...new Float32Array(18), ...student.dataSync().slice(18)], student.shape);
    const { value, gradient } = differentiate((x: Tensor4D) => similarityPreserving(x, teacher), dead);
    expect(Number.isFinite(value)).toBe(true);
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1);
    expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(0);
  });

  it('is 0 for a batch of one image, which is like nothing but itself', () => {
    const one = featuresOf(1, 1, [3, 3, 2]);
    const { value, gradient } = differentiate(
      (x: Tensor4D) => similarityPreserving(x, featuresOf(2, 1, [2, 2, 5])),
      one,
    );
    expect(value).toBeCloseTo(0, 12);
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-6);
  });
});
