import type { Tensor } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';

/** One attribute of a TensorFlow operation, as the binding takes it. */
export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: boolean | number | string | readonly number[];
}

/** A tensor of the binding: its handle, shape and TensorFlow data type. */
export interface Handle {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

export type TypedArray = Float32Array | Int32Array | Uint8Array;

/** The native binding of tfjs-node: the part that is used here. */
export interface Binding {
  createTensor(shape: readonly number[], dtype: number, values: TypedArray): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): TypedArray;
  executeOp(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): Handle[];
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(id: number): void;
  runSavedModel(id: number, inputs: readonly number[], inputNames: string, outputNames: string): Handle[];
  isUsingGpuDevice(): boolean;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_BOOL: number;
  readonly TF_UINT8: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
}

/** tfjs-node's backend: the part that is used here. */
export interface Backend {
  binding: Binding;
  executeSingleOutput(name: string, attributes: readonly Attribute[], inputs: readonly Tensor[]): Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Tensor[],
    outputs: number,
  ): Tensor[];
  getInputTensorIds(tensors: readonly Tensor[]): number[];
}

export function backend(): Backend {
  return tf.backend() as unknown as Backend;
}
