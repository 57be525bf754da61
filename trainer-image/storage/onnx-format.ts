/** ONNX files as plain data: the fields of `onnx.proto`, in camel case. */
import { join } from 'node:path';
import { DestillError } from '@destillml/core/errors.ts';
import protobuf from 'protobufjs';

/** A tensor with values: `rawData` is little-endian, or one of the typed fields holds them. */
export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly rawData?: Uint8Array;
  readonly floatData?: readonly number[];
  readonly int32Data?: readonly number[];
  readonly int64Data?: readonly number[];
  readonly doubleData?: readonly number[];
  /** `location`, `offset` and `length` of values that are in another file, which `dataLocation` 1 says. */
  readonly externalData?: readonly OnnxEntry[];
  readonly dataLocation?: number;
}

export interface OnnxEntry {
  readonly key: string;
  readonly value: string;
}

export interface OnnxAttribute {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: OnnxTensor;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
}

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  readonly domain?: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly OnnxAttribute[];
}

/** A graph's input or output: numbers are fixed sides, names are free ones. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly type?: {
    readonly tensorType?: {
      readonly elemType: number;
      readonly shape?: {
        readonly dim: readonly { readonly dimValue?: number; readonly dimParam?: string }[];
      };
    };
  };
}

export interface OnnxGraph {
  readonly name: string;
  /** In an order in which they can be computed. */
  readonly node: readonly OnnxNode[];
  readonly initializer: readonly OnnxTensor[];
  readonly input: readonly OnnxValueInfo[];
  readonly output: readonly OnnxValueInfo[];
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly graph: OnnxGraph;
  /** Without a domain: ONNX's own operators. */
  readonly opsetImport: readonly { readonly domain?: string; readonly version: number }[];
  readonly metadataProps: readonly OnnxEntry[];
}

/** Numbers of data types (TensorProto.DataType). */
export const dataTypes = { float: 1, int32: 6, int64: 7, double: 11 } as const;
/** Numbers of attribute types (AttributeProto.AttributeType). */
const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const;

export function float(name: string, f: number): OnnxAttribute {
  return { name, type: attributeTypes.float, f };
}

export function int(name: string, i: number): OnnxAttribute {
  return { name, type: attributeTypes.int, i };
}

export function ints(name: string, values: readonly number[]): OnnxAttribute {
  return { name, type: attributeTypes.ints, ints: values };
}

export function text(name: string, s: string): OnnxAttribute {
  return { name, type: attributeTypes.string, s: Buffer.from(s) };
}

export function encodeModel(model: OnnxModel): Uint8Array {
  return modelType().encode(model).finish();
}

/**
 * @param source what messages call the file.
 * @throws DestillError `CheckpointUnusable` if the bytes are not an ONNX file.
 */
export function decodeModel(bytes: Uint8Array, source: string): OnnxModel {
  const unusable = (cause?: unknown) =>
    new DestillError('CheckpointUnusable', `${source} is not an ONNX file, or not a whole one.`, { cause });
  let model: Partial<OnnxModel>;
  try {
    const type = modelType();
    model = type.toObject(type.decode(bytes), { longs: Number, arrays: true });
  } catch (cause) {
    throw unusable(cause);
  }
  if (model.graph === undefined || (model.graph.node?.length ?? 0) === 0) throw unusable();
  return {
    irVersion: 0,
    producerName: '',
    producerVersion: '',
    opsetImport: [],
    metadataProps: [],
    ...model,
    graph: {
      ...model.graph,
      node: model.graph.node.map((node) => ({ ...node, name: node.name ?? '', opType: node.opType ?? '' })),
    },
  };
}

function modelType(): protobuf.Type {
  return protobuf.loadSync(join(import.meta.dirname, 'onnx.proto')).lookupType('onnx.ModelProto');
}
