import { readFileSync } from 'node:fs';
import { softmaxCrossEntropy } from '@destillml/trainer/nn/kernels.ts';
import { type Tensor1D, type Tensor2D, tf } from '@destillml/trainer/tensorflow/tf.ts';
import { smoothedTargets } from '@destillml/trainer/training/functions.ts';
import { expect, test } from 'vitest';

/** Written by test/reference/sgd.py. */
const { smoothing } = JSON.parse(
  readFileSync(new URL('../../fixtures/sgd.json', import.meta.url), 'utf8'),
) as { smoothing: { logits: number[][]; labels: number[]; loss: number; gradient: number[] } };

test('cross-entropy with label smoothing 0.1 is that of PyTorch to 1e-6, its gradient, too', () => {
  const logits = tf.tensor2d(smoothing.logits);
  const targets = smoothedTargets(tf.tensor1d(smoothing.labels, 'int32') as Tensor1D, 4, 0.1);
  const { value, grad } = tf.valueAndGrad((z) => softmaxCrossEntropy(z as Tensor2D, targets))(logits);
  expect(value.dataSync()[0]).toBeCloseTo(smoothing.loss, 6);
  Array.from(grad.dataSync()).forEach((found, index) => {
    expect(found).toBeCloseTo(smoothing.gradient[index]!, 6);
  });
});
