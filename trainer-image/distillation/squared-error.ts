import { differentiable, output, type Saved } from '../nn/kernels.ts';
import type { Tensor } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';

/**
 * mean((x − target)²), a scalar ≥ 0; x and target have the same shape.
 *
 * The target is a constant: no gradient reaches it.
 */
export function meanSquaredError(x: Tensor, target: Tensor): Tensor {
  return differentiable([x], (save) => {
    const difference = tf.sub(x, target);
    save([difference]);
    return {
      value: tf.mean(tf.square(difference)),
      // The stock gradient of a mean makes a tensor of ones as large as x.
      gradFunc: (dy: Tensor, saved: Saved) => {
        const error = output(saved, 0);
        return tf.mul(error, tf.mul(dy, 2 / error.size));
      },
    };
  });
}
