/** The cases of test/reference/models.py, and what it takes to compute them here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelName } from '@destillml/core/api/models.ts';
import type { Network } from '@destillml/trainer/models/network.ts';
import { buildNetwork } from '@destillml/trainer/models/registry.ts';
import { softmaxCrossEntropy } from '@destillml/trainer/nn/kernels.ts';
import { type Initialiser, type NamedVariable, Variables } from '@destillml/trainer/nn/variables.ts';
import { type Tensor, type Tensor2D, type Tensor4D, tf } from '@destillml/trainer/tensorflow/tf.ts';
import { filled } from './filled.ts';

export interface Case {
  readonly name: ModelName;
  readonly imageSize: number;
  /** Which images. */
  readonly salt: number;
  readonly parameters: number;
  readonly flops: number;
  /** FNV-1a of the lines `name:shape` of PyTorch's state dictionary, sorted. */
  readonly variables: number;
  readonly stageShapes: readonly (readonly [height: number, width: number, channels: number])[];
  /** The first ten of each image. */
  readonly inferenceLogits: readonly (readonly number[])[];
  readonly trainingLogits: readonly (readonly number[])[];
  readonly gradientNorm: number;
  /** Of all tensors that {@link compute} gives, in the order of their sorted names. */
  readonly summaries: readonly (readonly [norm: number, projection: number])[];
}

export const cases: readonly Case[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/models.json'), 'utf8'),
);

export const classes = 100;
export const batch = 2;

/** The network of a case with the weights and statistics that the script gives it. */
export function filledNetwork({ name, imageSize }: Case): Network {
  const variables = new Variables(filledWeights);
  const network = buildNetwork(name, { variables, classes, imageSize });
  for (const { name, kind, variable } of variables.all) {
    if (kind === 'weight') continue;
    const endsBlock = /^layer.*bn[23]\.[a-z]+$|conv\.7\.[a-z]+$/.test(name);
    const [scale, offset] = {
      scale: endsBlock ? [0.05, 0.15] : [0.1, 0.9],
      shift: [endsBlock ? 0.2 : 0.8, 0],
      bias: [0.1, 0],
      mean: [0.1, 0],
      variance: [0.3, 1],
    }[kind] as [number, number];
    tf.tidy(() => variable.assign(tf.tensor(filled(name, variable.size, scale, offset), variable.shape)));
  }
  return network;
}

function filledImages({ imageSize, salt }: Case): Tensor4D {
  const values = filled(`images${salt}`, batch * 3 * imageSize ** 2, 1.5);
  return tf.tensor4d(values, [batch, 3, imageSize, imageSize]).transpose([0, 2, 3, 1]);
}

/** Everything the script summarises, by name, in PyTorch's layout: logits, stages, gradients, statistics. */
export function compute(network: Network, { imageSize, ...rest }: Case): Record<string, Float32Array> {
  const found: Record<string, Float32Array> = {};
  tf.tidy(() => {
    const images = filledImages({ imageSize, ...rest });
    const inference = network.forward(images, false);
    found['inference.logits'] = valuesOf(inference.logits);
    inference.stages.forEach((stage, index) => {
      found[`inference.stage${index + 1}`] = valuesOf(stage.transpose([0, 3, 1, 2]));
    });
    const labels = Int32Array.from({ length: batch }, (_, index) => (37 * index + 11) % classes);
    const targets = tf.oneHot(labels, classes).toFloat() as Tensor2D;
    const trainable = network.variables.trainable;
    const { grads } = tf.variableGrads(
      () => {
        const { logits } = network.forward(images, true);
        found['training.logits'] = valuesOf(logits);
        return softmaxCrossEntropy(logits, targets).asScalar();
      },
      trainable.map(({ variable }) => variable),
    );
    for (const { name, variable } of trainable) {
      found[`gradient.${name}`] = valuesOf(inPyTorchsLayout(grads[variable.name]!));
    }
    for (const { name, kind, variable } of network.variables.all) {
      if (kind === 'mean' || kind === 'variance') found[`statistic.${name}`] = valuesOf(variable);
    }
  });
  return found;
}

/** `name:shape` as in PyTorch's state dictionary. */
export function describeVariable({ name, variable }: NamedVariable): string {
  const [rows, columns, inputs, outputs] = variable.shape;
  if (columns === undefined) return `${name}:${rows}`;
  if (inputs === undefined) return `${name}:${columns},${rows}`;
  // One filter per channel: PyTorch counts channels as outputs.
  const channels = outputs === 1 ? [inputs, 1] : [outputs, inputs];
  return `${name}:${[...channels, rows, columns].join(',')}`;
}

/** As in the script: uniform with variance 2 / fanIn for filters, 1 / fanIn for matrices. */
const filledWeights: Initialiser = (name, shape, { fanIn }) => {
  const size = shape.reduce((product, side) => product * side, 1);
  const values = filled(name, size, Math.sqrt((shape.length === 4 ? 6 : 3) / fanIn));
  return tf.tidy(() => {
    if (shape.length === 2) return valuesOf(tf.tensor(values, [shape[1]!, shape[0]!]).transpose());
    const [rows, columns, inputs, outputs] = shape as [number, number, number, number];
    return valuesOf(tf.tensor(values, [outputs, inputs, rows, columns]).transpose([2, 3, 1, 0]));
  });
};

/** Filters `[k, k, in, out]` as `[out, in, k, k]`, matrices `[in, out]` as `[out, in]`. */
function inPyTorchsLayout(tensor: Tensor): Tensor {
  if (tensor.rank === 4) return tensor.transpose([3, 2, 0, 1]);
  return tensor.rank === 2 ? tensor.transpose() : tensor;
}

function valuesOf(tensor: Tensor): Float32Array {
  return Float32Array.from(tensor.dataSync());
}
