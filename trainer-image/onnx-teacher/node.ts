import { DestillError } from '@destillml/core/errors.ts';
import type { OnnxAttribute, OnnxNode } from '../storage/onnx-format.ts';
import type { Tensor2D, Tensor4D } from '../tensorflow/tf.ts';
import type { Parameters } from './parameters.ts';
import type { StoredWeight, Value } from './values.ts';

/** Computes one kind of node; refuses what it does not support. */
export type Operator = (node: NodeView) => Value;

/** A node while it is computed: its inputs and attributes, checked. */
export class NodeView {
  readonly parameters: Parameters;
  readonly #node: OnnxNode;
  readonly #source: string;
  readonly #values: ReadonlyMap<string, Value>;

  constructor(node: OnnxNode, source: string, values: ReadonlyMap<string, Value>, parameters: Parameters) {
    this.#node = node;
    this.#source = source;
    this.#values = values;
    this.parameters = parameters;
  }

  /** @throws DestillError `CheckpointUnusable`, always. */
  refuse(what: string): never {
    throw refusal(this.#source, this.#node, what);
  }

  get output(): string {
    return this.#node.output[0] ?? '';
  }

  get inputs(): number {
    return this.#node.input.length;
  }

  /** An input; undefined where an optional one is left out. */
  optional(index: number): Value | undefined {
    const name = this.#node.input[index];
    if (name === undefined || name === '') return undefined;
    return this.#values.get(name) ?? this.refuse(`reads "${name}", which nothing before it computes`);
  }

  input(index: number): Value {
    return this.optional(index) ?? this.refuse(`has no input ${index}`);
  }

  image(index: number): Tensor4D {
    const value = this.input(index);
    if (value.kind === 'image') return value.tensor;
    return this.refuse(`takes ${described(value)} as input ${index}; only [b, c, h, w] is supported`);
  }

  matrix(index: number): Tensor2D {
    const value = this.input(index);
    if (value.kind === 'matrix') return value.tensor;
    return this.refuse(`takes ${described(value)} as input ${index}; only [b, n] is supported`);
  }

  weight(index: number): StoredWeight {
    return this.optionalWeight(index) ?? this.refuse(`has no input ${index}`);
  }

  optionalWeight(index: number): StoredWeight | undefined {
    const value = this.optional(index);
    if (value === undefined || value.kind === 'weight') return value;
    return this.refuse(`takes ${described(value)} as input ${index}; only stored weights are supported`);
  }

  /** Whole numbers that are an attribute in older operator sets and an input in newer ones. */
  integers(name: string, index: number): readonly number[] | undefined {
    const given = this.optional(index);
    if (given === undefined) return this.attribute(name)?.ints;
    if (given.kind === 'integers') return given.values;
    return this.refuse(`takes ${described(given)} as ${name}; only whole numbers are supported`);
  }

  /** The axes that an operation is about, of `[b, c, h, w]`: `2,3` are the positions. */
  axes(): string {
    const given = this.integers('axes', 1) ?? [];
    return given
      .map((axis) => (axis < 0 ? axis + 4 : axis))
      .sort()
      .join();
  }

  int(name: string, otherwise: number): number {
    const found = this.attribute(name);
    return found === undefined ? otherwise : (found.i ?? 0);
  }

  float(name: string, otherwise: number): number {
    const found = this.attribute(name);
    return found === undefined ? otherwise : (found.f ?? 0);
  }

  text(name: string, otherwise: string): string {
    const found = this.attribute(name)?.s;
    return found === undefined ? otherwise : Buffer.from(found).toString();
  }

  ints(name: string, otherwise: readonly number[]): readonly number[] {
    return this.attribute(name)?.ints ?? otherwise;
  }

  attribute(name: string): OnnxAttribute | undefined {
    return this.#node.attribute.find((attribute) => attribute.name === name);
  }
}

export function refusal(source: string, node: OnnxNode, what: string): DestillError {
  const name = node.name === '' ? (node.output[0] ?? '') : node.name;
  return new DestillError(
    'CheckpointUnusable',
    `${source}: node "${name}" (${node.opType}) ${what}. Export the teacher without it, or use another.`,
  );
}

export function described(value: Value): string {
  switch (value.kind) {
    case 'image': {
      const [b, h, w, c] = value.tensor.shape;
      return `[${b}, ${c}, ${h}, ${w}]`;
    }
    case 'matrix':
      return `[${value.tensor.shape.join(', ')}]`;
    case 'integers':
      return 'whole numbers';
    case 'weight':
      return `a weight of shape [${value.shape.join(', ')}]`;
  }
}

export const image = (tensor: Tensor4D): Value => ({ kind: 'image', tensor });
export const matrix = (tensor: Tensor2D): Value => ({ kind: 'matrix', tensor });
export const integers = (values: readonly number[], isScalar = false): Value => ({
  kind: 'integers',
  values,
  isScalar,
});
