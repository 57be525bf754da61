import { differentiable, output, type Saved } from '../nn/kernels.ts';
import type { Tensor, Tensor2D } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';

/** Shorter rows are divided by this instead of their length, as in PyTorch's `F.normalize`. */
const shortest = 1e-12;

/**
 * Divides each row of `[rows, n]` by its L2 norm: y = x / max(‖x‖₂, 1e-12).
 *
 * Gradient: (dy − y·⟨y, dy⟩) / ‖x‖₂. At rows shorter than 1e-12, which have no direction, it is 0; PyTorch's is
 * dy · 1e12 there, and one image with features of 0 would end the training.
 */
export function normalizeRows(x: Tensor2D): Tensor2D {
  return differentiable([x], (save) => {
    const norm = tf.sqrt(tf.sum(tf.square(x), 1, true));
    const inverse = tf.div(1, tf.maximum(norm, shortest));
    const y = tf.mul(x, inverse);
    save([y, tf.mul(inverse, tf.cast(tf.greater(norm, shortest), 'float32'))]);
    return {
      value: y,
      gradFunc: (dy: Tensor, saved: Saved) => {
        const direction = output(saved, 0);
        const along = tf.sum(tf.mul(direction, dy), 1, true);
        return tf.mul(tf.sub(dy, tf.mul(direction, along)), output(saved, 1));
      },
    };
  });
}
