import { batchNorm, convolution, type Layer, linear, maxPool, relu, sequence } from '../nn/layers.ts';
import type { Variables } from '../nn/variables.ts';
import type { Architecture } from './network.ts';
import { stagedNetwork } from './staged.ts';

/** Convolutions of each of the five blocks. */
const convolutions = {
  8: [1, 1, 1, 1, 1],
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
} as const;

/** Filters of each block. */
const filters = [64, 128, 256, 512, 512];

/**
 * VGG with batch normalisation (Simonyan & Zisserman, ICLR 2015) as in RepDistiller, and named so: global average
 * pooling and one linear layer; convolutions keep their biases.
 *
 * `block0` is the stem. Stages are `block1` … `block4`, after the ReLU and before the pooling; 16, 8, 4 and 4 px for
 * images of 32 px. Below 64 px the last two blocks work at the same resolution.
 *
 * @param share of the filters: 0.5 halves every layer.
 */
export function vgg(depth: keyof typeof convolutions, share = 1): Architecture {
  return ({ variables, classes, imageSize }) => {
    let inputs = 3;
    const [stem = [], ...stages] = convolutions[depth].map((count, index) => {
      const outputs = (filters[index] ?? 0) * share;
      const pooled = index > 0 && (index < 4 || imageSize >= 64);
      const layers = block(variables, `block${index}`, count, inputs, outputs);
      inputs = outputs;
      return pooled ? [maxPool(2), ...layers] : layers;
    });
    return stagedNetwork(variables, {
      stem: sequence(...stem),
      stages: stages.map((layers) => sequence(...layers)),
      classifier: linear(variables, 'classifier', inputs, classes),
    });
  };
}

function block(variables: Variables, name: string, count: number, inputs: number, outputs: number): Layer[] {
  return Array.from({ length: count }, (_, index) => index).flatMap((index) => [
    convolution(variables, `${name}.${3 * index}`, index === 0 ? inputs : outputs, outputs, {
      kernel: 3,
      bias: true,
    }),
    batchNorm(variables, `${name}.${3 * index + 1}`, outputs),
    relu,
  ]);
}
