/** Layers as functions of a batch: images are `[b, h, w, c]`, semantics and defaults are PyTorch's. */
import type { Tensor2D, Tensor4D } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';
import * as kernels from './kernels.ts';
import type { Variables } from './variables.ts';

/** @param training true: batch statistics are used and running ones updated. */
export type Layer = (x: Tensor4D, training: boolean) => Tensor4D;

/** PyTorch's momentum of running statistics: new = 0.9 · old + 0.1 · batch. */
const statisticsMomentum = 0.1;

export interface ConvolutionOptions {
  readonly kernel: number;
  readonly stride?: number;
  /** Zeros on every side; default keeps the size at stride 1. */
  readonly padding?: number;
  readonly bias?: boolean;
}

/** Convolution of every channel with every filter. */
export function convolution(
  variables: Variables,
  name: string,
  inputs: number,
  outputs: number,
  { kernel, stride = 1, padding = (kernel - 1) / 2, bias = false }: ConvolutionOptions,
): Layer {
  const shape = [kernel, kernel, inputs, outputs];
  const area = kernel * kernel;
  const fans = { fanIn: area * inputs, fanOut: area * outputs };
  const filter = variables.weight<Tensor4D>(`${name}.weight`, shape, fans);
  const shift = bias ? variables.filled(`${name}.bias`, 'bias', outputs, 0) : undefined;
  return (x) => {
    const y = kernels.conv2d(x, filter, { stride, padding });
    return shift === undefined ? y : tf.add(y, shift);
  };
}

/** One 3×3 filter per channel (MobileNet). */
export function depthwiseConvolution(
  variables: Variables,
  name: string,
  channels: number,
  stride: number,
): Layer {
  // PyTorch's fan-out ignores groups; published recipes were tuned to weights of that size.
  const fans = { fanIn: 9, fanOut: 9 * channels };
  const filter = variables.weight<Tensor4D>(`${name}.weight`, [3, 3, channels, 1], fans);
  return (x) => kernels.depthwiseConv2d(x, filter, { stride, padding: 1 });
}

/** @param scale initial scale: 0 makes a residual block start as the identity. */
export function batchNorm(variables: Variables, name: string, channels: number, scale = 1): Layer {
  const gamma = variables.filled(`${name}.weight`, 'scale', channels, scale);
  const beta = variables.filled(`${name}.bias`, 'shift', channels, 0);
  const mean = variables.filled(`${name}.running_mean`, 'mean', channels, 0);
  const variance = variables.filled(`${name}.running_var`, 'variance', channels, 1);
  return (x, training) => {
    if (!training) return kernels.batchNormInference(x, gamma, beta, mean, variance);
    return kernels.batchNormTraining(x, gamma, beta, { mean, variance }, statisticsMomentum, (running) => {
      mean.assign(running.mean);
      variance.assign(running.variance);
    });
  };
}

/** Fully connected layer: `[b, inputs]` → `[b, outputs]`. */
export function linear(
  variables: Variables,
  name: string,
  inputs: number,
  outputs: number,
): (x: Tensor2D) => Tensor2D {
  const fans = { fanIn: inputs, fanOut: outputs };
  const weight = variables.weight<Tensor2D>(`${name}.weight`, [inputs, outputs], fans);
  const bias = variables.filled(`${name}.bias`, 'bias', outputs, 0);
  return (x) => tf.add(tf.matMul(x, weight), bias);
}

export const relu: Layer = (x) => kernels.relu(x);

export function maxPool(size: number, stride = size, padding = 0): Layer {
  return (x) => kernels.maxPool(x, size, { stride, padding });
}

export function sequence(...layers: readonly Layer[]): Layer {
  return (x, training) => layers.reduce((h, layer) => layer(h, training), x);
}
