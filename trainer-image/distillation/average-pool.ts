import { differentiable } from '../nn/kernels.ts';
import type { Tensor, Tensor3D, Tensor4D } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';

/**
 * Averages `[b, h, w, c]` to `[b, height, width, c]`, as PyTorch's `adaptive_avg_pool2d` does: cell i of m is the
 * mean of the rows ⌊i·h/m⌋ to ⌈(i+1)·h/m⌉ − 1, and columns alike. Where sides divide, plain average pooling.
 */
export function averagePoolTo(x: Tensor4D, height: number, width: number): Tensor4D {
  const [, h, w] = x.shape;
  if (h === height && w === width) return x;
  return differentiable([x], () => ({
    value: mixColumns(mixRows(x, averaging(h, height)), averaging(w, width)),
    gradFunc: (dy: Tensor) =>
      mixRows(mixColumns(dy as Tensor4D, transposed(averaging(w, width))), transposed(averaging(h, height))),
  }));
}

type Matrix = readonly (readonly number[])[];

/** `[to, from]`: row i holds the shares of the inputs in cell i. */
function averaging(from: number, to: number): Matrix {
  return Array.from({ length: to }, (_, cell) => {
    const start = Math.floor((cell * from) / to);
    const end = Math.ceil(((cell + 1) * from) / to);
    return Array.from({ length: from }, (_, i) => (i >= start && i < end ? 1 / (end - start) : 0));
  });
}

function transposed(matrix: Matrix): Matrix {
  return (matrix[0] ?? []).map((_, column) => matrix.map((row) => row[column] ?? 0));
}

/** Replaces the rows of every image by weighted sums of them. */
function mixRows(x: Tensor4D, weights: Matrix): Tensor4D {
  const [b, h, w, c] = x.shape;
  const mixed = tf.matMul<Tensor3D>(batchOf(weights), tf.reshape(x, [b, h, w * c]));
  return tf.reshape(mixed, [b, weights.length, w, c]);
}

function mixColumns(x: Tensor4D, weights: Matrix): Tensor4D {
  const [b, h, w, c] = x.shape;
  const mixed = tf.matMul<Tensor3D>(batchOf(weights), tf.reshape(x, [b * h, w, c]));
  return tf.reshape(mixed, [b, h, weights.length, c]);
}

function batchOf(matrix: Matrix): Tensor3D {
  return tf.tensor3d([matrix.map((row) => [...row])]);
}
