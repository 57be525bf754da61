import type { Handle } from '../nn/backend.ts';
import { type Recorded, record } from '../nn/recording.ts';
import type { Tensor4D } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';
import type { Network } from './network.ts';

type Operation = Extract<Recorded, { readonly kind: 'operation' }>;

/**
 * Floating-point operations of one inference of one image: 2 for every multiplication with its addition in
 * convolutions and matrix products; the rest (normalisation, activations, pooling) counts nothing, as in PyTorch's
 * `FlopCounterMode` and fvcore.
 *
 * They are counted from what TensorFlow was asked to do, so that no second description of a network exists.
 */
export function countFlops(network: Network, imageSize: number): number {
  let flops = 0;
  tf.tidy(() => {
    const images = tf.zeros([1, imageSize, imageSize, 3]) as Tensor4D;
    const given = [...network.variables.all.map(({ variable }) => variable), images];
    const { calls } = record(given, () => {
      network.forward(images, false);
    });
    for (const call of calls) if (call.kind === 'operation') flops += flopsOf(call);
  });
  return flops;
}

function flopsOf({ name, attributes, inputs, outputs }: Operation): number {
  const flag = (key: string) =>
    attributes.some((attribute) => attribute.name === key && attribute.value === true);
  switch (name) {
    case 'Conv2D': {
      const [rows = 0, columns = 0, channels = 0] = shapeAt(inputs, 1);
      return 2 * size(shapeAt(outputs, 0)) * rows * columns * channels;
    }
    case 'DepthwiseConv2dNative': {
      const [rows = 0, columns = 0] = shapeAt(inputs, 1);
      return 2 * size(shapeAt(outputs, 0)) * rows * columns;
    }
    case 'BatchMatMulV2': {
      const summed = shapeAt(inputs, 0).at(flag('adj_x') ? -2 : -1) ?? 0;
      return 2 * size(shapeAt(outputs, 0)) * summed;
    }
    default:
      return 0;
  }
}

function shapeAt(handles: readonly Handle[], index: number): readonly number[] {
  return handles[index]?.shape ?? [];
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
