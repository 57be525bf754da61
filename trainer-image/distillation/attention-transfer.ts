/**
 * Zagoruyko and Komodakis, "Paying More Attention to Attention", ICLR 2017, equation 2 with p = 2: the student
 * attends to the same places as its teacher. The mean of squares and the mean over channels are RepDistiller's,
 * whose published weights they go with.
 */
import { differentiable, output, type Saved } from '../nn/kernels.ts';
import type { Tensor, Tensor2D, Tensor4D } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';
import { averagePoolTo } from './average-pool.ts';
import { normalizeRows } from './normalize.ts';
import { meanSquaredError } from './squared-error.ts';

/** Features of a stage of the student, `[b, h, w, c]`, and of the teacher, `[b, h′, w′, c′]`. */
export type FeaturePair = readonly [student: Tensor4D, teacher: Tensor4D];

/**
 * Σ over pairs of mean((Q_s − Q_t)²), a scalar ≥ 0; no gradient reaches the teacher.
 *
 * Maps of unequal sizes: the larger one is average-pooled to the smaller one.
 */
export function attentionTransfer(pairs: readonly FeaturePair[]): Tensor {
  return pairs
    .map(([student, teacher]) => stageDistance(student, teacher))
    .reduce((sum, d) => tf.add(sum, d));
}

function stageDistance(student: Tensor4D, teacher: Tensor4D): Tensor {
  const height = Math.min(student.shape[1], teacher.shape[1]);
  const width = Math.min(student.shape[2], teacher.shape[2]);
  return meanSquaredError(attention(student, height, width), attention(teacher, height, width));
}

/** Q `[b, height · width]`: the vectorised attention map, each row of length 1. */
function attention(features: Tensor4D, height: number, width: number): Tensor2D {
  const map = averagePoolTo(attentionMap(features), height, width);
  return normalizeRows(tf.reshape(map, [-1, height * width]));
}

/** Mean over channels of F²: `[b, h, w, c]` → `[b, h, w, 1]`; its gradient is 2·F·dy / c. */
function attentionMap(features: Tensor4D): Tensor4D {
  return differentiable([features], (save) => {
    save([features]);
    return {
      value: tf.mean(tf.square(features), 3, true),
      gradFunc: (dy: Tensor, saved: Saved) => {
        const input = output<Tensor4D>(saved, 0);
        return tf.mul(input, tf.mul(dy, 2 / input.shape[3]));
      },
    };
  });
}
