/** Convolution, normalisation, linear layers and pooling. */
import * as kernels from '../../nn/kernels.ts';
import { type Tensor, type Tensor2D, type Tensor4D, tf } from '../../tensorflow/tf.ts';
import { described, image, matrix, type NodeView, type Operator } from '../node.ts';
import { evenPadding, padded, type Window, windowOf } from './window.ts';

export const layers: Readonly<Record<string, Operator>> = {
  Conv(node) {
    const x = node.image(0);
    const weight = node.weight(1);
    const [outputs = 0, inputs = 0, rows = 0, columns = 0] = weight.shape;
    if (weight.shape.length !== 4) node.refuse('is not a convolution of images');
    const groups = node.int('group', 1);
    const channels = x.shape[3];
    if (channels !== inputs * groups) {
      node.refuse(`has filters for ${inputs * groups} channels, its input has ${channels}`);
    }
    const isDepthwise = groups === channels && outputs === channels && groups > 1;
    const window = windowOf(node, x, rows, columns);
    const even = rows === columns ? evenPadding(window) : undefined;
    const given = even === undefined ? padded(x, window.padding) : x;
    const options = { stride: window.stride, padding: even ?? 0 };
    const y = isDepthwise
      ? kernels.depthwiseConv2d(given, node.parameters.depthwiseFilter(weight), options)
      : kernels.conv2d(given, node.parameters.filter(weight), options);
    const bias = node.optionalWeight(2);
    return image(bias === undefined ? y : tf.add(y, node.parameters.vector(bias)));
  },

  BatchNormalization(node) {
    if (node.int('training_mode', 0) !== 0) node.refuse('was exported in training mode');
    const value = node.input(0);
    if (value.kind !== 'image' && value.kind !== 'matrix') return node.refuse(`takes ${described(value)}`);
    const { parameters } = node;
    const statistic = (index: number) => parameters.vector(node.weight(index));
    const [scale, shift, mean, variance] = [statistic(1), statistic(2), statistic(3), statistic(4)];
    const epsilon = node.float('epsilon', 1e-5);
    const normalised = (x: Tensor4D) => kernels.batchNormInference(x, scale, shift, mean, variance, epsilon);
    if (value.kind === 'image') return image(normalised(value.tensor));
    const [b, n] = value.tensor.shape;
    return matrix(tf.reshape(normalised(tf.reshape(value.tensor, [b, 1, 1, n])), [b, n]));
  },

  Gemm(node) {
    if (node.float('alpha', 1) !== 1 || node.float('beta', 1) !== 1) node.refuse('scales its terms');
    if (node.int('transA', 0) !== 0) node.refuse('transposes its first input');
    const product = multiplied(node, node.int('transB', 0) === 1);
    const bias = node.optionalWeight(2);
    return matrix(bias === undefined ? product : tf.add(product, node.parameters.besideMatrices(bias)));
  },

  MatMul: (node) => matrix(multiplied(node, false)),

  MaxPool(node) {
    const { x, rows, columns, window } = pooling(node);
    const even = evenPadding(window);
    if (rows !== columns) node.refuse('has windows that are not square');
    if (even === undefined) {
      const lowest = padded(x, window.padding, -3.4e38);
      return image(kernels.maxPool(lowest, rows, { stride: window.stride, padding: 0 }));
    }
    return image(kernels.maxPool(x, rows, { stride: window.stride, padding: even }));
  },

  AveragePool(node) {
    const { x, rows, columns, window, isCut } = pooling(node);
    if (isCut) node.refuse('takes means of windows that are not whole (ceil_mode)');
    const isPadded = window.padding.some((side) => side > 0);
    if (isPadded && node.int('count_include_pad', 0) === 0) node.refuse('leaves padding out of its means');
    return image(tf.avgPool(padded(x, window.padding), [rows, columns], window.stride, 'valid'));
  },

  GlobalAveragePool: (node) => image(tf.mean(node.image(0), [1, 2], true)),
  GlobalMaxPool: (node) => image(tf.max(node.image(0), [1, 2], true)),

  ReduceMean(node) {
    const x = node.image(0);
    if (node.axes() !== '2,3') node.refuse('takes a mean that is not over the positions of images');
    const mean: Tensor = tf.mean(x, [1, 2], node.int('keepdims', 1) === 1);
    return mean.rank === 4 ? image(mean as Tensor4D) : matrix(mean as Tensor2D);
  },
};

function multiplied(node: NodeView, isTransposed: boolean): Tensor2D {
  const x = node.matrix(0);
  const weight = node.weight(1);
  const inputs = weight.shape[isTransposed ? 1 : 0];
  if (weight.shape.length !== 2 || inputs !== x.shape[1]) {
    node.refuse(`multiplies [${x.shape.join(', ')}] by ${described(weight)}`);
  }
  return tf.matMul(x, node.parameters.matrix(weight, isTransposed));
}

function pooling(node: NodeView) {
  const x = node.image(0);
  const [rows = 0, columns = 0, ...more] = node.ints('kernel_shape', []);
  if (columns === 0 || more.length > 0) node.refuse('has windows that are not those of images');
  const { stride, padding } = windowOf(node, x, rows, columns);
  const [top, left, bottom, right] = padding;
  const [, height, width] = x.shape;
  const isCeiled = node.int('ceil_mode', 0) === 1;
  const down = isCeiled ? overhang(height, top, bottom, rows, stride) : 0;
  const across = isCeiled ? overhang(width, left, right, columns, stride) : 0;
  const window: Window = { stride, padding: [top, left, bottom + down, right + across] };
  return { x, rows, columns, window, isCut: down + across > 0 };
}

/** How far the last window reaches beyond the padded side, if it starts before the padding behind. */
function overhang(side: number, before: number, behind: number, size: number, stride: number): number {
  const whole = before + side + behind;
  const steps = Math.ceil((whole - size) / stride);
  const last = steps * stride >= before + side ? steps - 1 : steps;
  return Math.max(0, last * stride + size - whole);
}
