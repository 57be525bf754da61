import { notFinite } from '../nn/finite.ts';
import { dataTypes, type OnnxTensor } from '../storage/onnx-format.ts';
import type { Tensor2D, Tensor4D } from '../tensorflow/tf.ts';

/** What a name in an ONNX graph stands for while the graph is computed. */
export type Value =
  /** `[b, h, w, c]` where ONNX has `[b, c, h, w]`. */
  | { readonly kind: 'image'; readonly tensor: Tensor4D }
  /** `[b, n]`. */
  | { readonly kind: 'matrix'; readonly tensor: Tensor2D }
  /** A shape, or numbers to make one of; `isScalar` where ONNX has no dimension. */
  | { readonly kind: 'integers'; readonly values: readonly number[]; readonly isScalar: boolean }
  /** What the file holds, in ONNX's layout. */
  | StoredWeight;

export interface StoredWeight {
  readonly kind: 'weight';
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const bytesOf: Readonly<Record<number, number>> = {
  [dataTypes.float]: 4,
  [dataTypes.int32]: 4,
  [dataTypes.int64]: 8,
  [dataTypes.double]: 8,
};

/**
 * A stored tensor as a value: whole numbers of at most one dimension are integers, floating-point ones are weights.
 *
 * @param refuse is told what is wrong.
 */
export function storedValue(name: string, tensor: OnnxTensor, refuse: (what: string) => never): Value {
  const shape = tensor.dims;
  const size = shape.reduce((product, side) => product * side, 1);
  const type = tensor.dataType;
  const width = bytesOf[type];
  if (width === undefined) return refuse(`has values of data type ${type}: only float32 and int64 are read`);
  const values = tensor.rawData?.length ? rawNumbers(tensor.rawData, type) : typedNumbers(tensor);
  if (values.length !== size) {
    return refuse(`has ${values.length} values instead of those of its shape [${shape.join(', ')}]`);
  }
  if (type === dataTypes.float || type === dataTypes.double) {
    const floats = Float32Array.from(values);
    const wrong = notFinite(floats);
    // A single number may be the limit of a Clip that has none.
    if (wrong !== undefined && (shape.length > 0 || Number.isNaN(wrong))) {
      return refuse(`holds a value that is ${wrong}: the file is damaged, or its training diverged`);
    }
    return { kind: 'weight', name, shape, values: floats };
  }
  if (shape.length > 1) return refuse('holds whole numbers of more than one dimension');
  return { kind: 'integers', values: Array.from(values), isScalar: shape.length === 0 };
}

function typedNumbers({ dataType, floatData, int32Data, int64Data, doubleData }: OnnxTensor) {
  const byType: Readonly<Record<number, readonly number[] | undefined>> = {
    [dataTypes.float]: floatData,
    [dataTypes.int32]: int32Data,
    [dataTypes.int64]: int64Data,
    [dataTypes.double]: doubleData,
  };
  return byType[dataType] ?? [];
}

/** Little-endian numbers; bytes after the last whole one make none. */
function rawNumbers(bytes: Uint8Array, type: number): ArrayLike<number> {
  // A copy, because typed arrays need aligned memory.
  const whole = bytes.length - (bytes.length % (bytesOf[type] ?? 1));
  const { buffer } = Uint8Array.from(bytes.subarray(0, whole));
  switch (type) {
    case dataTypes.float:
      return new Float32Array(buffer);
    case dataTypes.double:
      return new Float64Array(buffer);
    case dataTypes.int32:
      return new Int32Array(buffer);
    default:
      return Float64Array.from(new BigInt64Array(buffer), Number);
  }
}
