import { attentionTransfer } from '@destillml/trainer/distillation/attention-transfer.ts';
import type { Tensor4D } from '@destillml/trainer/tensorflow/tf.ts';
import { tf } from '@destillml/trainer/tensorflow/tf.ts';
import { describe, expect, it } from 'vitest';
import { differentiate, featuresOf } from './reference.ts';

const student = featuresOf(1, 2, [4, 4, 3]);
const teacher = featuresOf(2, 2, [8, 8, 5]);

describe('attentionTransfer', () => {
  it('is 0 without gradient when the student has its teacher’s features', () => {
    const { value, gradient } = differentiate((x: Tensor4D) => attentionTransfer([[x, student]]), student);
    expect(value).toBe(0);
    expect(gradient.every((g) => g === 0)).toBe(true);
  });

  it.each([
    [1e-3, 1],
    [1, 1e3],
    [20, 0.01],
  ])('does not change when features are scaled by %d and %d', (s, t) => {
    const [plain, scaled] = tf.tidy(() => [
      attentionTransfer([[student, teacher]]).dataSync()[0]!,
      attentionTransfer([[tf.mul(student, s), tf.mul(teacher, t)]]).dataSync()[0]!,
    ]);
    expect(scaled / plain).toBeCloseTo(1, 4);
  });

  it('does not see the order of channels', () => {
    const [plain, reversed] = tf.tidy(() => [
      attentionTransfer([[student, teacher]]).dataSync()[0]!,
      attentionTransfer([[tf.reverse(student, 3), tf.reverse(teacher, 3)]]).dataSync()[0]!,
    ]);
    expect(reversed / plain).toBeCloseTo(1, 5);
  });

  it('adds the stages up', () => {
    const distance = (...pairs: Parameters<typeof attentionTransfer>[0][number][]) =>
      tf.tidy(() => attentionTransfer(pairs).dataSync()[0]!);
    const other = [featuresOf(3, 2, [2, 2, 3]), featuresOf(4, 2, [2, 2, 1])] as const;
    expect(distance([student, teacher], other)).toBeCloseTo(
      distance([student, teacher]) + distance(other),
      6,
    );
  });

  it('stays finite for an image without features, and gives it no gradient', () => {
    const dead = tf.tensor4d([...new Float32Array(48), ...student.dataSync().slice(48)], student.shape);
    const { value, gradient } = differentiate((x: Tensor4D) => attentionTransfer([[x, teacher]]), dead);
    expect(Number.isFinite(value)).toBe(true);
    expect(gradient.slice(0, 48).every((g) => g === 0)).toBe(true);
    expect(gradient.slice(48).some((g) => g !== 0)).toBe(true);
  });

  it('keeps no tensors', () => {
    const step = () => differentiate((x: Tensor4D) => attentionTransfer([[x, teacher]]), student);
    step();
    const before = tf.memory().numTensors;
    step();
    expect(tf.memory().numTensors).toBe(before);
  });
});
