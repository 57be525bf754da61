import { DestillError } from '@destillml/core/errors.ts';
import { imageNet } from '../data/augmentation.ts';
import type { Features, Network } from '../models/network.ts';
import { scoped } from '../nn/scoped.ts';
import type { OnnxNode, OnnxValueInfo } from '../storage/onnx-format.ts';
import { type Tensor2D, type Tensor4D, tf } from '../tensorflow/tf.ts';
import { type OnnxFile, readOnnxFile } from './file.ts';
import { NodeView, refusal } from './node.ts';
import { arithmetic } from './operators/arithmetic.ts';
import { layers } from './operators/layers.ts';
import { shapes } from './operators/shapes.ts';
import { Parameters } from './parameters.ts';
import type { Value } from './values.ts';

/** Of red, green and blue, for values between 0 and 1. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

export interface OnnxTeacherOptions {
  /** Classes of the data set. */
  readonly classes: number;
  /** Side of its images in pixels. */
  readonly imageSize: number;
  /**
   * Names of the values that are its stages, from the first to the last: outputs, or anything else that is computed.
   * Default: the outputs `stage1`, `stage2` …, which files of `destill export` have; else none.
   */
  readonly features?: readonly string[] | undefined;
  /** Name of its logits; default: the output `logits`, or else the only output that is no stage. */
  readonly logits?: string | undefined;
  /** What its images were normalised by; default: ImageNet's, as in files of `destill export`. */
  readonly normalisation?: Normalisation | undefined;
  /** What messages call the file; default: its path. */
  readonly source?: string;
}

const operators = { ...layers, ...arithmetic, ...shapes };

/** Batch of the trial that checks shapes: not 1, so that a batch fixed at 1 is noticed. */
const trialBatch = 2;
/** What changed later is accepted in both forms; older sets have other meanings. */
const oldestOpset = 7;

/**
 * A network in an ONNX file, as a teacher: its graph is translated to TensorFlow's kernels, so that it becomes part of
 * a captured training step and runs where the student does. Its weights are the network's variables.
 *
 * `forward` takes images as every network does, `[b, size, size, 3]`, normalised by ImageNet's mean and deviation; they
 * are normalised anew where the teacher wants something else.
 *
 * @param given path of the file, or its bytes.
 * @throws DestillError `TeacherMissing` if there is no file; `CheckpointUnusable` if it cannot be read or a node is not
 *   supported, with the node's name and operator; `InvalidSpec` if it does not fit the data set or has no such value.
 */
export function readOnnxTeacher(given: string | Uint8Array, options: OnnxTeacherOptions): Network {
  const file = readOnnxFile(given, options.source);
  const input = inputOf(file, options.imageSize);
  const { logits, features } = outputsOf(file, options);
  const nodes = neededNodes(file, [logits, ...features]);
  const turned = normalisedAnew(options.normalisation ?? imageNet);
  const parameters = new Parameters();
  const stored = storedInputs(file, nodes);

  const forward = (images: Tensor4D): Features => {
    const values = new Map(stored);
    values.set(input, { kind: 'image', tensor: turned(images) });
    for (const node of nodes) {
      const view = new NodeView(node, file.source, values, parameters);
      const [output = ''] = node.output;
      values.set(output, operatorOf(file, node)(view));
    }
    return {
      logits: logitsOf(file, logits, values.get(logits), options.classes),
      stages: features.map((name) => stageOf(file, name, values.get(name))),
    };
  };
  const network: Network = {
    variables: parameters.variables,
    forward(images, training) {
      if (training) throw new RangeError('a teacher from an ONNX file is not trained');
      return forward(images);
    },
  };
  try {
    // Makes the variables and finds whatever does not fit before anything is trained.
    scoped(() => forward(tf.zeros([trialBatch, options.imageSize, options.imageSize, 3])));
  } catch (error) {
    parameters.variables.dispose();
    throw error;
  }
  return network;
}

/** Name of the images. */
function inputOf({ source, model: { graph }, isStored }: OnnxFile, imageSize: number): string {
  const inputs = graph.input.filter(({ name }) => !isStored(name));
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    const names = inputs.map(({ name }) => name).join(', ') || 'none';
    throw unfit(source, `takes several inputs or none (${names}); a teacher takes images only`);
  }
  const sides = sidesOf(input);
  const wanted = [undefined, 3, imageSize, imageSize];
  const fits =
    sides === undefined || (sides.length === 4 && sides.every((side, axis) => agrees(side, wanted[axis])));
  if (fits) return input.name;
  const found = sides.map((side) => side ?? 'any').join(', ');
  throw unfit(source, `takes [${found}]; the images are [batch, 3, ${imageSize}, ${imageSize}]`);
}

function agrees(side: number | undefined, wanted: number | undefined): boolean {
  return side === undefined || wanted === undefined || side === wanted;
}

/** Fixed sides as numbers; undefined if the file does not say. */
function sidesOf({ type }: OnnxValueInfo): (number | undefined)[] | undefined {
  return type?.tensorType?.shape?.dim.map(({ dimValue }) =>
    dimValue === undefined ? undefined : Number(dimValue),
  );
}

function outputsOf({ source, model: { graph } }: OnnxFile, options: OnnxTeacherOptions) {
  const outputs = graph.output.map(({ name }) => name);
  const computed = new Set(graph.node.flatMap(({ output }) => output));
  const features = options.features ?? consecutiveStages(outputs);
  const others = outputs.filter((name) => !features.includes(name));
  const logits =
    options.logits ?? (outputs.includes('logits') ? 'logits' : others.length === 1 ? others[0] : undefined);
  const listed = `Its outputs are ${outputs.join(', ')}.`;
  if (logits === undefined)
    throw unfit(source, `does not say which output is the logits. ${listed} Name one`);
  for (const name of [logits, ...features]) {
    if (!computed.has(name)) throw unfit(source, `computes nothing called "${name}". ${listed}`);
  }
  return { logits, features };
}

function consecutiveStages(outputs: readonly string[]): string[] {
  const stages: string[] = [];
  while (outputs.includes(`stage${stages.length + 1}`)) stages.push(`stage${stages.length + 1}`);
  return stages;
}

/** The nodes that the wanted values depend on, in order. */
function neededNodes(file: OnnxFile, wanted: readonly string[]): readonly OnnxNode[] {
  const opset = file.model.opsetImport.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx');
  const version = Number(opset?.version ?? 0);
  if (version < oldestOpset) {
    const advice = `only ${oldestOpset} and later are read`;
    throw new DestillError('CheckpointUnusable', `${file.source} has operator set ${version}: ${advice}.`);
  }
  const names = new Set(wanted);
  const needed = file.model.graph.node
    .toReversed()
    .filter(({ input, output }) => {
      if (!output.some((name) => names.has(name))) return false;
      for (const name of input) names.add(name);
      return true;
    })
    .reverse();
  for (const node of needed) operatorOf(file, node);
  return needed;
}

/** What the nodes read from the file. */
function storedInputs(file: OnnxFile, nodes: readonly OnnxNode[]): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>();
  for (const node of nodes) {
    const refuse = (what: string): never => {
      throw refusal(file.source, node, what);
    };
    for (const name of node.input) {
      if (file.isStored(name) && !values.has(name)) values.set(name, file.stored(name, refuse));
    }
  }
  return values;
}

function operatorOf({ source }: OnnxFile, node: OnnxNode) {
  const isStandard = (node.domain ?? '') === '' || node.domain === 'ai.onnx';
  const operator = isStandard ? operators[node.opType] : undefined;
  if (operator !== undefined) return operator;
  const known = Object.keys(operators).sort().join(', ');
  throw refusal(source, node, `is not supported; these are: ${known}`);
}

/** From ImageNet's normalisation to another: x·σ/σ′ + (μ − μ′)/σ′. */
function normalisedAnew({ mean, deviation }: Normalisation): (images: Tensor4D) => Tensor4D {
  const channels = [0, 1, 2] as const;
  const scale = channels.map((c) => imageNet.deviation[c] / (deviation[c] ?? Number.NaN));
  const shift = channels.map(
    (c) => (imageNet.mean[c] - (mean[c] ?? Number.NaN)) / (deviation[c] ?? Number.NaN),
  );
  if (![...scale, ...shift].every(Number.isFinite)) {
    throw new DestillError('InvalidSpec', 'normalisation needs three means and three deviations above 0.');
  }
  if (scale.every((factor) => factor === 1) && shift.every((term) => term === 0)) return (images) => images;
  return (images) => tf.add(tf.mul(images, tf.tensor1d(scale)), tf.tensor1d(shift));
}

function logitsOf({ source }: OnnxFile, name: string, value: Value | undefined, classes: number): Tensor2D {
  if (value?.kind === 'matrix' && value.tensor.shape[1] === classes) return value.tensor;
  const found = value?.kind === 'matrix' ? `[batch, ${value.tensor.shape[1]}]` : 'something else';
  throw unfit(
    source,
    `gives ${found} as "${name}"; the data set has ${classes} classes: [batch, ${classes}] is needed`,
  );
}

function stageOf({ source }: OnnxFile, name: string, value: Value | undefined): Tensor4D {
  if (value?.kind === 'image') return value.tensor;
  throw unfit(source, `has no maps [batch, channels, height, width] under the name "${name}"`);
}

function unfit(source: string, what: string): DestillError {
  return new DestillError('InvalidSpec', `The teacher ${source} ${what.replace(/\.$/, '')}.`);
}
