import type { Network } from '../models/network.ts';
import type { Attribute, Handle } from '../nn/backend.ts';
import { handleOf, type Recorded, record } from '../nn/recording.ts';
import { scoped } from '../nn/scoped.ts';
import { transposed } from '../nn/transposed.ts';
import { type Tensor4D, tf } from '../tensorflow/tf.ts';

/** Values of a trained tensor in PyTorch's layout, under its name in a state dictionary. */
export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** One operation of a network, on values of names; `output` is the name of what it computes, `[b, c, h, w]`. */
export type GraphNode =
  | {
      readonly kind: 'convolution';
      readonly input: string;
      readonly output: string;
      /** `[out, in / groups, k, k]`. */
      readonly weight: Weight;
      readonly bias?: Weight;
      readonly groups: number;
      readonly stride: number;
      readonly padding: number;
    }
  | {
      readonly kind: 'normalisation';
      readonly input: string;
      readonly output: string;
      readonly scale: Weight;
      readonly shift: Weight;
      readonly mean: Weight;
      readonly variance: Weight;
      readonly epsilon: number;
    }
  | { readonly kind: 'relu'; readonly input: string; readonly output: string }
  | {
      readonly kind: 'maxPool';
      readonly input: string;
      readonly output: string;
      readonly size: number;
      readonly stride: number;
      readonly padding: number;
    }
  | { readonly kind: 'add'; readonly input: string; readonly other: string; readonly output: string }
  /** Mean over positions: `[b, c, h, w]` → `[b, c]`. */
  | { readonly kind: 'globalAveragePool'; readonly input: string; readonly output: string }
  /** `[b, in]` → `[b, out]`; the weight is `[out, in]`. */
  | {
      readonly kind: 'linear';
      readonly input: string;
      readonly output: string;
      readonly weight: Weight;
      readonly bias?: Weight;
    };

/** A network's inference as a list of operations, in the order in which they are computed. */
export interface InferenceGraph {
  readonly nodes: readonly GraphNode[];
  /** Name of the value that holds the normalised images. */
  readonly input: string;
  /** Names of the values that are the logits and the stages. */
  readonly logits: string;
  readonly stages: readonly string[];
  /** Channels, height and width of each stage. */
  readonly stageShapes: readonly (readonly number[])[];
}

/**
 * A network's inference, read from what TensorFlow is asked to do for one image, so that no second description of a
 * network exists.
 *
 * @throws RangeError if a network does what no case here translates.
 */
export function inferenceGraph(network: Network, imageSize: number): InferenceGraph {
  return scoped(() => {
    const images = tf.zeros([1, imageSize, imageSize, 3]) as Tensor4D;
    const weights = new Map(
      network.variables.all.map(({ name, variable }) => [handleOf(variable), { name, variable }]),
    );
    const given = [...network.variables.all.map(({ variable }) => variable), images];
    const { result, calls } = record(given, () => {
      const { logits, stages } = network.forward(images, false);
      const stageShapes = stages.map(({ shape: [, height, width, channels] }) => [channels, height, width]);
      return { logits: handleOf(logits), stages: stages.map(handleOf), stageShapes };
    });
    const translation = new Translation(handleOf(images), (handle) => {
      const found = weights.get(handle);
      return found && inPyTorchsLayout(found.name, found.variable.shape, found.variable.dataSync());
    });
    for (const call of calls) translation.add(call);
    return {
      nodes: translation.nodes,
      input: translation.name(handleOf(images)),
      logits: translation.name(result.logits),
      stages: result.stages.map((stage) => translation.name(stage)),
      stageShapes: result.stageShapes,
    };
  });
}

type Operation = Extract<Recorded, { readonly kind: 'operation' }>;

/** Translates recorded calls one by one. */
class Translation {
  readonly nodes: GraphNode[] = [];
  readonly #weight: (handle: number) => Weight | undefined;
  readonly #names = new Map<number, string>();
  readonly #constants = new Map<number, readonly number[]>();
  /** What was padded by how much, by the handle of the padded tensor. */
  readonly #padded = new Map<number, { readonly source: number; readonly padding: number }>();
  readonly #counts = new Map<string, number>();

  constructor(images: number, weight: (handle: number) => Weight | undefined) {
    this.#weight = weight;
    this.#names.set(images, 'images');
  }

  name(handle: number): string {
    const found = this.#names.get(handle);
    if (found === undefined) throw new RangeError(`tensor ${handle} is not a value of the network`);
    return found;
  }

  add(call: Recorded): void {
    if (call.kind === 'constant') {
      this.#constants.set(call.output.id, Array.from(call.values));
      return;
    }
    const input = idAt(call.inputs, 0);
    const output = idAt(call.outputs, 0);
    switch (call.name) {
      case 'Identity':
      case 'Cast':
        this.#names.set(output, this.name(input));
        return;
      case 'PadV2':
        this.#padded.set(output, { source: input, padding: this.#symmetricPadding(call) });
        return;
      case 'Conv2D':
      case 'DepthwiseConv2dNative':
        this.nodes.push(this.#convolution(call));
        return;
      case 'FusedBatchNormV3': {
        const [scale, shift, mean, variance] = [1, 2, 3, 4].map((index) => this.#weightAt(call, index));
        if (!scale || !shift || !mean || !variance) throw unknown(call);
        const epsilon = Number(attribute(call, 'epsilon'));
        const values = { input: this.name(input), output: this.#made(output, 'norm') };
        this.nodes.push({ kind: 'normalisation', ...values, scale, shift, mean, variance, epsilon });
        return;
      }
      case 'Relu':
        this.nodes.push({ kind: 'relu', input: this.name(input), output: this.#made(output, 'relu') });
        return;
      case 'MaxPool': {
        const size = sideOf(call, 'ksize');
        const window = { size, stride: sideOf(call, 'strides'), padding: explicitPadding(call) };
        const values = { input: this.name(input), output: this.#made(output, 'pool') };
        this.nodes.push({ kind: 'maxPool', ...values, ...window });
        return;
      }
      case 'Mean': {
        if (this.#constants.get(idAt(call.inputs, 1))?.join() !== '1,2') throw unknown(call);
        const values = { input: this.name(input), output: this.#made(output, 'mean') };
        this.nodes.push({ kind: 'globalAveragePool', ...values });
        return;
      }
      case 'BatchMatMulV2': {
        if (attribute(call, 'adj_x') !== false || attribute(call, 'adj_y') !== false) throw unknown(call);
        const values = { input: this.name(input), output: this.#made(output, 'linear') };
        this.nodes.push({ kind: 'linear', ...values, weight: this.#weightAt(call, 1) });
        return;
      }
      case 'Add':
      case 'AddV2':
        this.#sum(call);
        return;
      default:
        throw unknown(call);
    }
  }

  #convolution(call: Operation): GraphNode {
    const padded = this.#padded.get(idAt(call.inputs, 0));
    const isDepthwise = call.name === 'DepthwiseConv2dNative';
    const [rows = 0, , channels = 0] = call.inputs[1]?.shape ?? [];
    const same = attribute(call, 'padding') === 'SAME' ? (rows - 1) / 2 : 0;
    return {
      kind: 'convolution',
      input: this.name(padded?.source ?? idAt(call.inputs, 0)),
      output: this.#made(idAt(call.outputs, 0), 'conv'),
      weight: this.#weightAt(call, 1),
      groups: isDepthwise ? channels : 1,
      stride: sideOf(call, 'strides'),
      padding: padded?.padding ?? same,
    };
  }

  /** A bias belongs to the layer before it; everything else that is added is a shortcut. */
  #sum(call: Operation): void {
    const [input, other] = [idAt(call.inputs, 0), idAt(call.inputs, 1)];
    const bias = this.#weight(other);
    const last = this.nodes.at(-1);
    if (bias === undefined) {
      const values = { input: this.name(input), other: this.name(other) };
      this.nodes.push({ kind: 'add', ...values, output: this.#made(idAt(call.outputs, 0), 'sum') });
      return;
    }
    if ((last?.kind !== 'convolution' && last?.kind !== 'linear') || last.output !== this.name(input)) {
      throw unknown(call);
    }
    this.nodes.splice(-1, 1, { ...last, bias });
    this.#names.set(idAt(call.outputs, 0), last.output);
  }

  #weightAt(call: Operation, index: number): Weight {
    const weight = this.#weight(idAt(call.inputs, index));
    if (weight === undefined) throw unknown(call);
    return weight;
  }

  #symmetricPadding(call: Operation): number {
    const sides = this.#constants.get(idAt(call.inputs, 1)) ?? [];
    const padding = sides[2] ?? 0;
    if (sides.join() !== [0, 0, padding, padding, padding, padding, 0, 0].join()) throw unknown(call);
    return padding;
  }

  #made(handle: number, kind: string): string {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const name = `${kind}.${count}`;
    this.#names.set(handle, name);
    return name;
  }
}

function unknown({ name, inputs }: Operation): RangeError {
  const shapes = inputs.map(({ shape }) => `[${shape.join(', ')}]`).join(', ');
  return new RangeError(`a network asks for ${name} of ${shapes}, which is not translated to ONNX`);
}

function attribute(call: Operation, name: string): Attribute['value'] | undefined {
  return call.attributes.find((candidate) => candidate.name === name)?.value;
}

/** The one number of an attribute that is the same for rows and columns of `[1, side, side, 1]`. */
function sideOf(call: Operation, name: string): number {
  const value = attribute(call, name);
  const side = Array.isArray(value) ? value[1] : undefined;
  if (typeof side !== 'number' || String(value) !== [1, side, side, 1].join()) throw unknown(call);
  return side;
}

function explicitPadding(call: Operation): number {
  const value = attribute(call, 'explicit_paddings');
  if (!Array.isArray(value)) return 0;
  const padding = Number(value[2]);
  if (String(value) !== [0, 0, padding, padding, padding, padding, 0, 0].join()) throw unknown(call);
  return padding;
}

function idAt(handles: readonly Handle[], index: number): number {
  const id = handles[index]?.id;
  if (id === undefined) throw new RangeError(`an operation has no tensor ${index}`);
  return id;
}

/** Filters `[k, k, in, out]` as `[out, in, k, k]` (one per channel: `[k, k, c, 1]` as `[c, 1, k, k]`), matrices turned. */
function inPyTorchsLayout(name: string, shape: readonly number[], values: ArrayLike<number>): Weight {
  const isDepthwise = shape.length === 4 && shape[3] === 1;
  const order = { 1: [0], 2: [1, 0], 4: isDepthwise ? [2, 3, 0, 1] : [3, 2, 0, 1] }[shape.length];
  if (order === undefined) throw new RangeError(`${name} has ${shape.length} dimensions`);
  const turned = order.map((axis) => shape[axis] ?? 1);
  return { name, shape: turned, values: transposed(values, shape, order) };
}
