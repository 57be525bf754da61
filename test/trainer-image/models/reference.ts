/** The cases of test/reference/models.py, and what it takes to compute them here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelName } from '@destillml/core/api/models.ts';
import type { Network } from '@destillml/trainer/models/network.ts';
import { buildNetwork } from '@destillml/trainer/models/registry.ts';
import { softmaxCrossEntropy } from '@destillml/trainer/nn/kernels.ts';
import {
  type Initialiser,
  type NamedVariable,
  type VariableKind,
  Variables,
} from '@destillml/trainer/nn/variables.ts';
import { type Tensor, type Tensor2D, type Tensor4D, tf } from '@destillml/trainer/tensorflow/tf.ts';
import { filled, signs } from './filled.ts';

export interface Case {
  readonly name: ModelName;
  readonly imageSize: number;
  readonly batch: number;
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

/** The network of a case with the weights and statistics that the script gives it. */
export function filledNetwork({ name, imageSize }: Case): Network {
  const variables = new Variables(filledWeights);
  const network = buildNetwork(name, { variables, classes, imageSize });
  for (const { name, kind, variable } of variables.all) {
    if (kind === 'weight') continue;
    const values = filled(name, variable.size, ...spread(name, kind));
    if (awayFrom0.test(name) && !name.endsWith('conv.1.bias')) {
      signs(`${name}.sign`, variable.size).forEach((sign, index) => {
        values[index]! *= sign;
      });
    }
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
  return network;
}

const awayFrom0 = /^layer.*bn[123]\.bias$|conv\.[14]\.bias$/;

function spread(name: string, kind: Exclude<VariableKind, 'weight'>): [scale: number, offset: number] {
  const small = /^layer.*bn[23]\.|conv\.7\./.test(name);
  switch (kind) {
    case 'scale':
      return small ? [0.05, 0.15] : [0.1, 0.9];
    case 'shift':
      if (awayFrom0.test(name)) return small ? [0.1, 0.25] : [0.4, 1.6];
      return [small ? 0.2 : 0.8, 0];
    case 'variance':
      return [0.3, 1];
    case 'mean':
    case 'bias':
      return [0.1, 0];
  }
}

/** Noise on coarse patterns, as in the script. */
export function filledImages({ imageSize: size, batch, salt }: Case): Tensor4D {
  const planes = batch * 3;
  const patterns = filled(`patterns${salt}`, planes * 4 * 4, 1.5);
  const values = filled(`images${salt}`, planes * size * size);
  const coarse = (position: number) => Math.floor((position * 4) / size);
  values.forEach((_, index) => {
    const plane = Math.floor(index / size ** 2);
    const row = coarse(Math.floor(index / size) % size);
    values[index]! += patterns[plane * 16 + row * 4 + coarse(index % size)]!;
  });
  return tf.tensor4d(values, [batch, 3, size, size]).transpose([0, 2, 3, 1]);
}

/** Everything the script summarises, by name, in PyTorch's layout: logits, stages, gradients, statistics. */
export function compute(network: Network, expected: Case): Record<string, Float32Array> {
  const found: Record<string, Float32Array> = {};
  tf.tidy(() => {
    const images = filledImages(expected);
    const inference = network.forward(images, false);
    found['inference.logits'] = valuesOf(inference.logits);
    inference.stages.forEach((stage, index) => {
      found[`inference.stage${index + 1}`] = valuesOf(stage.transpose([0, 3, 1, 2]));
    });
    const labels = Int32Array.from({ length: expected.batch }, (_, index) => (37 * index + 11) % classes);
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
  const outputs = shape.at(-1)!;
  const inputs = shape.at(-2)!;
  // PyTorch's order has the positions of a filter last. (TensorFlow's transpose takes minutes for this.)
  const area = size / outputs / inputs;
  const ours = new Float32Array(size);
  let index = 0;
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      for (let position = 0; position < area; position++) {
        ours[(position * inputs + input) * outputs + output] = values[index++]!;
      }
    }
  }
  return ours;
};

/** Filters `[k, k, in, out]` as `[out, in, k, k]`, matrices `[in, out]` as `[out, in]`. */
function inPyTorchsLayout(tensor: Tensor): Tensor {
  if (tensor.rank === 4) return tensor.transpose([3, 2, 0, 1]);
  return tensor.rank === 2 ? tensor.transpose() : tensor;
}

function valuesOf(tensor: Tensor): Float32Array {
  return Float32Array.from(tensor.dataSync());
}
