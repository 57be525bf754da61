import type { ModelName } from '@destillml/core/api/models.ts';
import { imageNet } from '../data/augmentation.ts';
import type { Network } from '../models/network.ts';
import packageFile from '../package.json' with { type: 'json' };
import {
  dataTypes,
  encodeModel,
  float,
  int,
  ints,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
} from '../storage/onnx-format.ts';
import { foldBatchNorm } from './fold-batch-norm.ts';
import { type GraphNode, type InferenceGraph, inferenceGraph, type Weight } from './inference-graph.ts';

/** Operator set of exported files: read by onnxruntime since 1.12, TensorRT since 8.5. */
export const exportedOpset = 17;
/** Version of the file format that came with that operator set (ONNX 1.12). */
const irVersion = 8;

/** A network to export. */
export interface ExportedModel {
  readonly model: ModelName;
  readonly classes: number;
  /** Side of its images in pixels. */
  readonly imageSize: number;
  /** With the weights that are exported. */
  readonly network: Network;
}

export interface ExportOptions {
  /** Puts batch normalisations into the convolutions before them: fewer operations, the same results. */
  readonly foldBatchNorm?: boolean;
}

/**
 * A network as an ONNX file.
 *
 * Its input `images` is `[batch, 3, size, size]`, float32, normalised as the metadata say; its outputs are `logits`
 * `[batch, classes]` and `stage1`, `stage2` …, `[batch, channels, height, width]`. The batch is free. Unfolded weights
 * have the names and layouts of a PyTorch state dictionary.
 *
 * Metadata: `model`, `classes`, `imageSize`, `parameters` (trained numbers), `mean` and `deviation` (of red, green and
 * blue, for values between 0 and 1; lists in JSON) and `batchNorm` (`folded` or `kept`).
 */
export function exportOnnx(exported: ExportedModel, options: ExportOptions = {}): Uint8Array {
  const { model, classes, imageSize, network } = exported;
  const whole = inferenceGraph(network, imageSize);
  const graph = withOutputNames(options.foldBatchNorm === true ? foldBatchNorm(whole) : whole);
  const weights = new Map<string, OnnxTensor>();
  const stored = (weight: Weight) => {
    weights.set(weight.name, tensorOf(weight));
    return weight.name;
  };
  const node = graph.nodes.flatMap((node) => onnxNodes(node, stored));
  const metadata = {
    model,
    classes: String(classes),
    imageSize: String(imageSize),
    parameters: String(network.variables.trainable.reduce((sum, { variable }) => sum + variable.size, 0)),
    mean: JSON.stringify(imageNet.mean),
    deviation: JSON.stringify(imageNet.deviation),
    batchNorm: options.foldBatchNorm === true ? 'folded' : 'kept',
  };
  return encodeModel({
    irVersion,
    producerName: 'destillml',
    producerVersion: packageFile.version,
    opsetImport: [{ version: exportedOpset }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: model,
      node,
      initializer: [...weights.values()],
      input: [valueInfo(graph.input, [3, imageSize, imageSize])],
      output: [
        valueInfo(graph.logits, [classes]),
        ...graph.stages.map((name, index) => valueInfo(name, graph.stageShapes[index] ?? [])),
      ],
    },
  });
}

/** Renames the values that are outputs. */
function withOutputNames(graph: InferenceGraph): InferenceGraph {
  const stages = graph.stages.map((_, index) => `stage${index + 1}`);
  const names = new Map([[graph.logits, 'logits']]);
  graph.stages.forEach((name, index) => {
    names.set(name, stages[index] ?? name);
  });
  const renamed = (name: string) => names.get(name) ?? name;
  const nodes = graph.nodes.map((node) => ({
    ...node,
    input: renamed(node.input),
    output: renamed(node.output),
    ...(node.kind === 'add' && { other: renamed(node.other) }),
  }));
  return { ...graph, nodes, logits: 'logits', stages };
}

/** The ONNX operations of one of ours. */
function onnxNodes(node: GraphNode, stored: (weight: Weight) => string): OnnxNode[] {
  const { input, output } = node;
  const made = (
    opType: string,
    inputs: readonly string[],
    attribute: readonly OnnxAttribute[] = [],
    name = output,
  ): OnnxNode => ({ name, opType, input: inputs, output: [output], attribute });
  switch (node.kind) {
    case 'convolution': {
      const { weight, bias, groups } = node;
      const size = weight.shape[2] ?? 1;
      const inputs = [input, stored(weight), ...(bias ? [stored(bias)] : [])];
      const attributes = [...window(size, node), int('group', groups), ints('dilations', [1, 1])];
      return [made('Conv', inputs, attributes, moduleOf(weight))];
    }
    case 'normalisation': {
      const { scale, shift, mean, variance, epsilon } = node;
      const inputs = [input, ...[scale, shift, mean, variance].map(stored)];
      return [made('BatchNormalization', inputs, [float('epsilon', epsilon)], moduleOf(scale))];
    }
    case 'relu':
      return [made('Relu', [input])];
    case 'maxPool':
      return [made('MaxPool', [input], window(node.size, node))];
    case 'add':
      return [made('Add', [input, node.other])];
    case 'globalAveragePool':
      return [made('ReduceMean', [input], [ints('axes', [2, 3]), int('keepdims', 0)])];
    case 'linear': {
      const { weight, bias } = node;
      const inputs = [input, stored(weight), ...(bias ? [stored(bias)] : [])];
      return [made('Gemm', inputs, [int('transB', 1)], moduleOf(weight))];
    }
  }
}

function window(size: number, { stride, padding }: { readonly stride: number; readonly padding: number }) {
  return [
    ints('kernel_shape', [size, size]),
    ints('strides', [stride, stride]),
    ints('pads', [padding, padding, padding, padding]),
  ];
}

function moduleOf({ name }: Weight): string {
  return name.replace(/\.weight$/, '');
}

function tensorOf({ name, shape, values }: Weight): OnnxTensor {
  const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dims: shape, dataType: dataTypes.float, rawData };
}

function valueInfo(name: string, sides: readonly number[]) {
  const dim = [{ dimParam: 'batch' }, ...sides.map((dimValue) => ({ dimValue }))];
  return { name, type: { tensorType: { elemType: dataTypes.float, shape: { dim } } } };
}
