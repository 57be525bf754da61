import { batchNorm, convolution, type Layer, linear, relu, sequence } from '../nn/layers.ts';
import type { Variables } from '../nn/variables.ts';
import { tf } from '../tensorflow/tf.ts';
import type { Network, NetworkOptions } from './network.ts';
import { stagedNetwork } from './staged.ts';
import { stemConvolution, stemPool } from './stem.ts';

/** What a residual block adds to its input. */
export interface Block {
  /** Output channels per channel of the 3×3 convolutions. */
  readonly expansion: number;
  readonly residual: (
    variables: Variables,
    name: string,
    inputs: number,
    channels: number,
    stride: number,
  ) => Layer;
}

/** Two 3×3 convolutions. The last scale starts at 0, so that the block starts as its shortcut (Goyal et al. 2017). */
export const basicBlock: Block = {
  expansion: 1,
  residual: (variables, name, inputs, channels, stride) =>
    sequence(
      convolution(variables, `${name}.conv1`, inputs, channels, { kernel: 3, stride }),
      batchNorm(variables, `${name}.bn1`, channels),
      relu,
      convolution(variables, `${name}.conv2`, channels, channels, { kernel: 3 }),
      batchNorm(variables, `${name}.bn2`, channels, 0),
    ),
};

/** 1×1, 3×3 and 1×1 convolutions; the stride is the 3×3 one's, as in torchvision. The last scale starts at 0. */
export const bottleneck: Block = {
  expansion: 4,
  residual: (variables, name, inputs, channels, stride) =>
    sequence(
      convolution(variables, `${name}.conv1`, inputs, channels, { kernel: 1 }),
      batchNorm(variables, `${name}.bn1`, channels),
      relu,
      convolution(variables, `${name}.conv2`, channels, channels, { kernel: 3, stride }),
      batchNorm(variables, `${name}.bn2`, channels),
      relu,
      convolution(variables, `${name}.conv3`, channels, channels * 4, { kernel: 1 }),
      batchNorm(variables, `${name}.bn3`, channels * 4, 0),
    ),
};

export interface ResidualOptions {
  readonly block: Block;
  readonly stemChannels: number;
  /** Stages from the first to the last; each but the first halves the sides. */
  readonly stages: readonly { readonly channels: number; readonly blocks: number }[];
}

/** A residual network (He et al., "Deep Residual Learning for Image Recognition", CVPR 2016), named as in torchvision. */
export function residualNetwork(
  options: NetworkOptions,
  { block, stemChannels, stages }: ResidualOptions,
): Network {
  const { variables, classes } = options;
  let inputs = stemChannels;
  return stagedNetwork(variables, {
    stem: sequence(
      stemConvolution(options, stemChannels),
      batchNorm(variables, 'bn1', stemChannels),
      relu,
      stemPool(options),
    ),
    stages: stages.map(({ channels, blocks }, stage) =>
      sequence(
        ...Array.from({ length: blocks }, (_, index) => {
          const stride = stage > 0 && index === 0 ? 2 : 1;
          const layer = withShortcut(
            block,
            variables,
            `layer${stage + 1}.${index}`,
            inputs,
            channels,
            stride,
          );
          inputs = channels * block.expansion;
          return layer;
        }),
      ),
    ),
    classifier: linear(variables, 'fc', inputs, classes),
  });
}

/** The sum of a block's residual and its input, rectified; where shapes differ the input passes a 1×1 convolution. */
function withShortcut(
  { expansion, residual }: Block,
  variables: Variables,
  name: string,
  inputs: number,
  channels: number,
  stride: number,
): Layer {
  const outputs = channels * expansion;
  const added = residual(variables, name, inputs, channels, stride);
  const shortcut: Layer =
    stride === 1 && inputs === outputs
      ? (x) => x
      : sequence(
          convolution(variables, `${name}.downsample.0`, inputs, outputs, { kernel: 1, stride }),
          batchNorm(variables, `${name}.downsample.1`, outputs),
        );
  return (x, training) => relu(tf.add(added(x, training), shortcut(x, training)), training);
}
