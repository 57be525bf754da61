import {
  batchNorm,
  convolution,
  depthwiseConvolution,
  type Layer,
  linear,
  relu,
  sequence,
} from '../nn/layers.ts';
import type { Variables } from '../nn/variables.ts';
import { tf } from '../tensorflow/tf.ts';
import type { Architecture } from './network.ts';
import { stagedNetwork } from './staged.ts';
import { isSmall } from './stem.ts';

interface Row {
  readonly expansion: number;
  readonly channels: number;
  readonly repeats: number;
  readonly stride: number;
}

/** Share of the filters of the original network. */
const width = 0.5;
const stemChannels = 32 * width;
/** Not narrowed with the rest, as in the paper for widths below 1. */
const lastChannels = 1280;

/** Sandler et al., table 2; the first halving is left out for small images. */
function rowsFor(imageSize: number): readonly Row[] {
  return [
    { expansion: 1, channels: 16, repeats: 1, stride: 1 },
    { expansion: 6, channels: 24, repeats: 2, stride: isSmall(imageSize) ? 1 : 2 },
    { expansion: 6, channels: 32, repeats: 3, stride: 2 },
    { expansion: 6, channels: 64, repeats: 4, stride: 2 },
    { expansion: 6, channels: 96, repeats: 3, stride: 1 },
    { expansion: 6, channels: 160, repeats: 3, stride: 2 },
    { expansion: 6, channels: 320, repeats: 1, stride: 1 },
  ];
}

/** First and last row of each stage: a stage ends before the sides are halved. */
const stageRows = [
  [0, 1],
  [2, 2],
  [3, 4],
  [5, 6],
] as const;

/**
 * MobileNetV2 (Sandler et al., CVPR 2018) of width 0.5 with plain ReLUs, as in RepDistiller and named so: the student
 * of published pairs such as VGG13 → MobileNetV2. 812,836 parameters for CIFAR-100.
 *
 * Its stem halves the sides of small images, too. Stages are all blocks of one resolution, as in RepDistiller: the
 * linear output of `blocks.1`, `blocks.2`, `blocks.4` and `blocks.6`, so the maps have negative values; 16, 8, 4 and
 * 2 px for images of 32 px.
 */
export const mobilenetV2: Architecture = ({ variables, classes, imageSize }) => {
  let inputs = stemChannels;
  const stem = sequence(
    convolution(variables, 'conv1.0', 3, stemChannels, { kernel: 3, stride: 2 }),
    batchNorm(variables, 'conv1.1', stemChannels),
    relu,
  );
  const rows = rowsFor(imageSize).map(({ expansion, channels, repeats, stride }, row) =>
    sequence(
      ...Array.from({ length: repeats }, (_, index) => {
        const outputs = channels * width;
        const name = `blocks.${row}.${index}.conv`;
        const layer = invertedResidual(variables, name, {
          inputs,
          outputs,
          expansion,
          stride: index === 0 ? stride : 1,
        });
        inputs = outputs;
        return layer;
      }),
    ),
  );
  return stagedNetwork(variables, {
    stem,
    stages: stageRows.map(([first, last]) => sequence(...rows.slice(first, last + 1))),
    neck: sequence(
      convolution(variables, 'conv2.0', inputs, lastChannels, { kernel: 1 }),
      batchNorm(variables, 'conv2.1', lastChannels),
      relu,
    ),
    classifier: linear(variables, 'classifier.0', lastChannels, classes),
  });
};

interface Shape {
  readonly inputs: number;
  readonly outputs: number;
  readonly expansion: number;
  readonly stride: number;
}

/** Widens by 1×1, filters each channel by 3×3, narrows by 1×1 without ReLU; added to its input where shapes agree. */
function invertedResidual(variables: Variables, name: string, shape: Shape): Layer {
  const { inputs, outputs, expansion, stride } = shape;
  const hidden = inputs * expansion;
  const residual = sequence(
    convolution(variables, `${name}.0`, inputs, hidden, { kernel: 1 }),
    batchNorm(variables, `${name}.1`, hidden),
    relu,
    depthwiseConvolution(variables, `${name}.3`, hidden, stride),
    batchNorm(variables, `${name}.4`, hidden),
    relu,
    convolution(variables, `${name}.6`, hidden, outputs, { kernel: 1 }),
    batchNorm(variables, `${name}.7`, outputs),
  );
  if (stride > 1 || inputs !== outputs) return residual;
  return (x, training) => tf.add(x, residual(x, training));
}
