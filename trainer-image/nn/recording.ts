import type { Tensor } from '../tensorflow/tf.ts';
import { type Attribute, type Binding, backend, type Handle, type TypedArray } from './backend.ts';

/** One call of a TensorFlow operation, or one tensor whose values are fixed. */
export type Recorded =
  | {
      readonly kind: 'operation';
      readonly name: string;
      readonly attributes: readonly Attribute[];
      readonly inputs: readonly Handle[];
      readonly outputs: readonly Handle[];
    }
  | { readonly kind: 'constant'; readonly output: Handle; readonly values: TypedArray };

/**
 * Runs `body` and records every operation that the backend executes, in order.
 *
 * Tensors made before, other than the `given` ones, become constants with the values they have.
 */
export function record<T>(given: readonly Tensor[], body: () => T): { result: T; calls: Recorded[] } {
  const node = backend();
  const real = node.binding;
  const calls: Recorded[] = [];
  const known = new Map<number, Handle>();
  const learn = (handle: Handle) => known.set(handle.id, handle);

  const constant = (output: Handle, values: TypedArray) => {
    calls.push({ kind: 'constant', output, values });
    learn(output);
    return output;
  };
  const look = (id: number): Handle => {
    const handle = known.get(id);
    if (handle !== undefined) return handle;
    // An operation that keeps everything tells shape and type of a tensor made elsewhere.
    const [copy] = real.executeOp('Identity', [], [id], 1);
    if (copy === undefined) throw new RangeError(`no tensor ${id}`);
    const values = real.tensorDataSync(copy.id);
    real.deleteTensor(copy.id);
    return constant({ ...copy, id }, values);
  };
  for (const tensor of given)
    learn({ id: handleOf(tensor), shape: tensor.shape, dtype: dtypeOf(tensor, real) });

  // The binding is a native object: its own properties are copied so that two of its methods can be replaced.
  const recorder: Record<PropertyKey, unknown> = {};
  for (const key of Reflect.ownKeys(real)) recorder[key] = Reflect.get(real, key);
  recorder.executeOp = ((name, attributes, inputs, count) => {
    const handles = inputs.map(look);
    const outputs = real.executeOp(name, attributes, inputs, count);
    calls.push({ kind: 'operation', name, attributes, inputs: handles, outputs });
    outputs.forEach(learn);
    return outputs;
  }) satisfies Binding['executeOp'];
  recorder.createTensor = ((shape, dtype, values) => {
    const id = real.createTensor(shape, dtype, values);
    // The binding takes plain arrays, too.
    const kept = ArrayBuffer.isView(values) ? values.slice() : typed(values, dtype, real);
    constant({ id, shape: [...shape], dtype }, kept);
    return id;
  }) satisfies Binding['createTensor'];

  node.binding = recorder as unknown as Binding;
  try {
    return { result: body(), calls };
  } finally {
    node.binding = real;
  }
}

/** The binding's handle of a tensor. */
export function handleOf(tensor: Tensor): number {
  const [id] = backend().getInputTensorIds([tensor]);
  if (id === undefined) throw new RangeError('tensor has no handle');
  return id;
}

function dtypeOf(tensor: Tensor, binding: Binding): number {
  if (tensor.dtype === 'float32') return binding.TF_FLOAT;
  return tensor.dtype === 'bool' ? binding.TF_BOOL : binding.TF_INT32;
}

function typed(values: ArrayLike<number>, dtype: number, binding: Binding): TypedArray {
  if (dtype === binding.TF_FLOAT) return Float32Array.from(values);
  return dtype === binding.TF_INT32 ? Int32Array.from(values) : Uint8Array.from(values, Number);
}
