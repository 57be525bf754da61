/**
 * TensorFlow's fused kernels with their gradients: the only file that calls operations by name.
 *
 * Images are `[batch, height, width, channels]`. Padding is symmetric and explicit, as in PyTorch, because
 * TensorFlow's SAME pads a stride-2 convolution on one side only.
 */

import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';
import { type Attribute, backend } from './backend.ts';

/** PyTorch's default for batch normalisation. */
const batchNormEpsilon = 1e-5;

const attribute = {
  type: (name: string, value: number): Attribute => ({ name, type: backend().binding.TF_ATTR_TYPE, value }),
  bool: (name: string, value: boolean): Attribute => ({ name, type: backend().binding.TF_ATTR_BOOL, value }),
  int: (name: string, value: number): Attribute => ({ name, type: backend().binding.TF_ATTR_INT, value }),
  ints: (name: string, value: readonly number[]): Attribute => ({
    name,
    type: backend().binding.TF_ATTR_INT,
    value,
  }),
  float: (name: string, value: number): Attribute => ({ name, type: backend().binding.TF_ATTR_FLOAT, value }),
  string: (name: string, value: string): Attribute => ({
    name,
    type: backend().binding.TF_ATTR_STRING,
    value,
  }),
};

const float = () => attribute.type('T', backend().binding.TF_FLOAT);

function one<T extends Tensor>(name: string, attributes: readonly Attribute[], inputs: readonly Tensor[]): T {
  return backend().executeSingleOutput(name, attributes, inputs) as T;
}

function many(
  name: string,
  attributes: readonly Attribute[],
  inputs: readonly Tensor[],
  outputs: number,
): Tensor[] {
  return backend().executeMultipleOutputs(name, attributes, inputs, outputs);
}

/** One of an operation's outputs, or of the tensors that it saved. */
export function output<T extends Tensor>(outputs: readonly Tensor[], index: number): T {
  const tensor = outputs[index];
  if (tensor === undefined) throw new RangeError(`operation has no output ${index}`);
  return tensor as T;
}

interface Differentiable {
  readonly value: Tensor;
  /** Gradients with respect to the inputs, in order; may touch only what was saved, in the order of saving. */
  readonly gradFunc: (dy: Tensor, saved: Saved) => Tensor | Tensor[];
}
export type Saved = readonly Tensor[];

/** An operation with a gradient of its own (`tf.customGrad`, typed). */
export function differentiable<T extends Tensor>(
  inputs: readonly Tensor[],
  forward: (save: (tensors: readonly Tensor[]) => void) => Differentiable,
): T {
  const operation = tf.customGrad((...given) => {
    const save = given.at(-1) as unknown as (tensors: readonly Tensor[]) => void;
    return forward(save);
  });
  return operation(...inputs) as T;
}

interface Window {
  readonly stride: number;
  readonly padding: number;
}

/**
 * Convolution with symmetric zero padding, in the two forms whose gradients oneDNN computes: SAME where that is what
 * SAME means, else padded first. (With explicit padding gradients take up to ten times as long.)
 */
function convolution(
  operation: 'Conv2D' | 'DepthwiseConv2dNative',
  x: Tensor4D,
  filter: Tensor4D,
  { stride, padding }: Window,
): Tensor4D {
  const [rows, columns] = filter.shape;
  const isSame = stride === 1 && rows === columns && 2 * padding + 1 === rows;
  const input =
    isSame || padding === 0
      ? x
      : tf.pad(x, [
          [0, 0],
          [padding, padding],
          [padding, padding],
          [0, 0],
        ]);
  // Operation names of the gradients differ only by a suffix.
  const gradient = operation === 'Conv2D' ? 'Conv2DBackprop' : 'DepthwiseConv2dNativeBackprop';
  return differentiable([input, filter], (save) => {
    const attributes = [
      float(),
      attribute.ints('strides', [1, stride, stride, 1]),
      attribute.ints('dilations', [1, 1, 1, 1]),
      attribute.string('data_format', 'NHWC'),
      attribute.string('padding', isSame ? 'SAME' : 'VALID'),
    ];
    save([input, filter]);
    return {
      value: one(operation, attributes, [input, filter]),
      gradFunc: (dy: Tensor, saved: Saved) => {
        const input = output<Tensor4D>(saved, 0);
        const weights = output<Tensor4D>(saved, 1);
        const shapeOf = (tensor: Tensor) => tf.tensor1d(tensor.shape, 'int32');
        return [
          one(`${gradient}Input`, attributes, [shapeOf(input), weights, dy]),
          one(`${gradient}Filter`, attributes, [input, shapeOf(weights), dy]),
        ];
      },
    };
  });
}

/** Convolution of `[b, h, w, in]` with a filter `[k, l, in, out]`; in inference also `[k, l, in / groups, out]`. */
export function conv2d(x: Tensor4D, filter: Tensor4D, window: Window): Tensor4D {
  return convolution('Conv2D', x, filter, window);
}

/** Depthwise convolution of `[b, h, w, c]` with a filter `[k, l, c, 1]`. */
export function depthwiseConv2d(x: Tensor4D, filter: Tensor4D, window: Window): Tensor4D {
  return convolution('DepthwiseConv2dNative', x, filter, window);
}

function batchNormAttributes(training: boolean, epsilon: number): Attribute[] {
  return [
    float(),
    attribute.type('U', backend().binding.TF_FLOAT),
    attribute.float('epsilon', epsilon),
    attribute.string('data_format', 'NHWC'),
    attribute.bool('is_training', training),
  ];
}

/** Running statistics of a batch normalisation, `[c]` each. */
export interface RunningStatistics {
  readonly mean: Tensor1D;
  readonly variance: Tensor1D;
}

/**
 * Batch normalisation by the batch's own statistics.
 *
 * @param running statistics so far; the variance is the unbiased one, as in PyTorch.
 * @param momentum share of the batch's statistics in the new running ones.
 * @param update is told the new running statistics.
 */
export function batchNormTraining(
  x: Tensor4D,
  scale: Tensor1D,
  shift: Tensor1D,
  running: RunningStatistics,
  momentum: number,
  update: (running: RunningStatistics) => void,
): Tensor4D {
  return differentiable([x, scale, shift], (save) => {
    const shared = batchNormAttributes(true, batchNormEpsilon);
    const attributes = [...shared, attribute.float('exponential_avg_factor', momentum)];
    const inputs = [x, scale, shift, running.mean, running.variance];
    const outputs = many('FusedBatchNormV3', attributes, inputs, 6);
    update({ mean: output(outputs, 1), variance: output(outputs, 2) });
    save([x, scale, ...outputs.slice(3)]);
    return {
      value: output<Tensor4D>(outputs, 0),
      gradFunc: (dy: Tensor, saved: Saved) =>
        many('FusedBatchNormGradV3', shared, [dy, ...saved], 5).slice(0, 3),
    };
  });
}

/**
 * Batch normalisation by given statistics, `[c]` each, as in inference.
 *
 * Differentiable in x only: no network is trained in this mode.
 *
 * @param epsilon is added to the variance.
 */
export function batchNormInference(
  x: Tensor4D,
  scale: Tensor1D,
  shift: Tensor1D,
  mean: Tensor1D,
  variance: Tensor1D,
  epsilon = batchNormEpsilon,
): Tensor4D {
  return differentiable([x], (save) => {
    const attributes = [...batchNormAttributes(false, epsilon), attribute.float('exponential_avg_factor', 1)];
    const outputs = many('FusedBatchNormV3', attributes, [x, scale, shift, mean, variance], 6);
    save([scale, variance]);
    return {
      value: output<Tensor4D>(outputs, 0),
      gradFunc: (dy: Tensor, saved: Saved) =>
        tf.mul(dy, tf.div(output(saved, 0), tf.sqrt(tf.add(output(saved, 1), epsilon)))),
    };
  });
}

export function relu(x: Tensor4D): Tensor4D {
  return differentiable([x], (save) => {
    const y = one<Tensor4D>('Relu', [float()], [x]);
    save([y]);
    return {
      value: y,
      gradFunc: (dy: Tensor, saved: Saved) => one('ReluGrad', [float()], [dy, output(saved, 0)]),
    };
  });
}

function poolAttributes(size: number, { stride, padding }: Window): Attribute[] {
  const explicit = padding > 0;
  return [
    float(),
    attribute.ints('ksize', [1, size, size, 1]),
    attribute.ints('strides', [1, stride, stride, 1]),
    attribute.string('data_format', 'NHWC'),
    attribute.string('padding', explicit ? 'EXPLICIT' : 'VALID'),
    ...(explicit
      ? [attribute.ints('explicit_paddings', [0, 0, padding, padding, padding, padding, 0, 0])]
      : []),
  ];
}

/** Maximum over windows of `size` × `size`. */
export function maxPool(x: Tensor4D, size: number, window: Window): Tensor4D {
  return differentiable([x], (save) => {
    const attributes = poolAttributes(size, window);
    const y = one<Tensor4D>('MaxPool', attributes, [x]);
    save([x, y]);
    return {
      value: y,
      gradFunc: (dy: Tensor, saved: Saved) =>
        one('MaxPoolGrad', attributes, [output(saved, 0), output(saved, 1), dy]),
    };
  });
}

/** Mean over positions: `[b, h, w, c]` → `[b, c]`. */
export function globalAveragePool(x: Tensor4D): Tensor2D {
  const [b, h, w, c] = x.shape;
  return differentiable([x], () => ({
    value: tf.mean(x, [1, 2]),
    // The stock gradient uploads a tensor of ones from JavaScript at every step.
    gradFunc: (dy: Tensor) => tf.tile(tf.reshape(tf.mul(dy, 1 / (h * w)), [b, 1, 1, c]), [1, h, w, 1]),
  }));
}

/** Mean cross-entropy of logits `[b, classes]` against target distributions `[b, classes]`; a scalar. */
export function softmaxCrossEntropy(logits: Tensor2D, targets: Tensor2D): Tensor {
  const b = logits.shape[0];
  return differentiable([logits], (save) => {
    const outputs = many('SoftmaxCrossEntropyWithLogits', [float()], [logits, targets], 2);
    save([output(outputs, 1)]);
    return {
      value: tf.mean(output(outputs, 0)),
      gradFunc: (dy: Tensor, saved: Saved) => tf.mul(output(saved, 0), tf.div(dy, b)),
    };
  });
}

/**
 * Applies one projective transform to each image.
 *
 * @param transforms `[b, 8]`: output pixel (x, y) is read from ((a0·x + a1·y + a2)/k, (b0·x + b1·y + b2)/k) with
 *   k = c0·x + c1·y + 1; positions outside the image are 0.
 */
export function projectiveTransform(
  images: Tensor4D,
  transforms: Tensor2D,
  interpolation: 'NEAREST' | 'BILINEAR' = 'BILINEAR',
): Tensor4D {
  const [, height, width] = images.shape;
  const attributes = [
    attribute.type('dtype', backend().binding.TF_FLOAT),
    attribute.string('interpolation', interpolation),
    attribute.string('fill_mode', 'CONSTANT'),
  ];
  const size = tf.tensor1d([height, width], 'int32');
  return one('ImageProjectiveTransformV3', attributes, [images, transforms, size, tf.scalar(0)]);
}

/** Indices of the `k` largest logits of each row, largest first: `[b, classes]` → int32 `[b, k]`. */
export function topIndices(logits: Tensor2D, k: number): Tensor2D {
  const attributes = [float(), attribute.bool('sorted', true)];
  return output(many('TopKV2', attributes, [logits, tf.scalar(k, 'int32')], 2), 1);
}
