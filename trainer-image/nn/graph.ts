import type { Tensor, Variable } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';
import { type Attribute, backend, type TypedArray } from './backend.ts';
import type { Functions, InputSpec } from './program.ts';
import { handleOf, type Recorded, record } from './recording.ts';
import { scoped } from './scoped.ts';

/** One node of a TensorFlow graph (NodeDef), as plain data for `saved-model.proto`. */
export interface Node {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, object>>;
}

/** Names of graph nodes that a program feeds and fetches. */
export const nodeNames = {
  input: (name: string, key: string) => `${name}/in/${key}`,
  output: (name: string, key: string) => `${name}/out/${key}`,
  variable: (index: number) => `variable/${index}`,
  value: (index: number) => `variable/${index}/read`,
  initial: (index: number) => `variable/${index}/initial`,
  initialised: (index: number) => `variable/${index}/initialised`,
};

/** A graph of several functions over the same variables. */
export interface Graph {
  readonly nodes: readonly Node[];
  /** Keys of the outputs of each function. */
  readonly outputs: Readonly<Record<string, readonly string[]>>;
}

/**
 * Runs every function once on zeros, records what it does and writes that down as one graph.
 *
 * Values of the variables are what they were before.
 */
export function buildGraph(variables: readonly Variable[], functions: Functions): Graph {
  const nodes: Node[] = [];
  const outputs: Record<string, readonly string[]> = {};
  for (const [index, variable] of variables.entries()) nodes.push(...variableNodes(index, variable));
  for (const [name, { inputs, body }] of Object.entries(functions)) {
    const trace = traceFunction(variables, inputs, body);
    nodes.push(...functionNodes(name, inputs, trace));
    outputs[name] = Object.keys(trace.outputs);
  }
  return { nodes, outputs };
}

interface Trace {
  readonly calls: readonly Recorded[];
  readonly inputs: Readonly<Record<string, number>>;
  readonly outputs: Readonly<Record<string, number>>;
  /** Handles of the variables before and after. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function traceFunction(
  variables: readonly Variable[],
  specs: Readonly<Record<string, InputSpec>>,
  body: (inputs: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>,
): Trace {
  return scoped(() => {
    const saved = variables.map((variable) => variable.clone());
    const inputs = Object.fromEntries(
      Object.entries(specs).map(([key, { shape, dtype }]) => [
        key,
        tf.zeros([...shape], dtype === 'float32' ? 'float32' : 'int32'),
      ]),
    );
    const before = variables.map(handleOf);
    const handles = (tensors: Readonly<Record<string, Tensor>>) =>
      Object.fromEntries(Object.entries(tensors).map(([key, tensor]) => [key, handleOf(tensor)]));
    const { result, calls } = record([...variables, ...Object.values(inputs)], () => {
      const outputs = body(inputs);
      return { outputs: handles(outputs), after: variables.map(handleOf) };
    });
    variables.forEach((variable, index) => {
      const value = saved[index];
      if (value !== undefined && result.after[index] !== before[index]) variable.assign(value);
    });
    return { calls, inputs: handles(inputs), outputs: result.outputs, before, after: result.after };
  });
}

function functionNodes(name: string, specs: Readonly<Record<string, InputSpec>>, trace: Trace): Node[] {
  const nodes: Node[] = [];
  const references = new Map<number, string>();
  for (const [key, spec] of Object.entries(specs)) {
    const handle = trace.inputs[key];
    if (handle !== undefined) references.set(handle, addInput(nodes, nodeNames.input(name, key), spec));
  }
  for (const [index, handle] of trace.before.entries()) references.set(handle, nodeNames.value(index));
  const reference = (handle: number): string => {
    const found = references.get(handle);
    if (found === undefined) throw new RangeError(`tensor ${handle} of "${name}" was not recorded`);
    return found;
  };

  let count = 0;
  for (const call of needed(trace)) {
    const node = `${name}/${count++}`;
    if (call.kind === 'constant') {
      nodes.push({ name: node, op: 'Const', input: [], attr: constantAttributes(call) });
      references.set(call.output.id, node);
      continue;
    }
    nodes.push({
      name: node,
      op: call.name,
      input: call.inputs.map(({ id }) => reference(id)),
      attr: Object.fromEntries(
        call.attributes.map((attribute) => [attribute.name, attributeValue(attribute)]),
      ),
    });
    for (const [index, { id }] of call.outputs.entries())
      references.set(id, index === 0 ? node : `${node}:${index}`);
  }

  // Only fetched nodes run: every output waits for every assignment.
  const assignments = trace.after.flatMap((handle, index) => {
    if (handle === trace.before[index]) return [];
    const node = `${name}/assign/${index}`;
    const input = [nodeNames.variable(index), reference(handle)];
    nodes.push({ name: node, op: 'AssignVariableOp', input, attr: { dtype: floatType() } });
    return [`^${node}`];
  });
  for (const [key, handle] of Object.entries(trace.outputs)) {
    const input = [reference(handle), ...assignments];
    nodes.push({ name: nodeNames.output(name, key), op: 'Identity', input, attr: { T: floatType() } });
  }
  return nodes;
}

/** The calls that outputs and variables depend on, in order. */
function needed(trace: Trace): Recorded[] {
  const wanted = new Set([...Object.values(trace.outputs), ...trace.after]);
  const kept = trace.calls.toReversed().filter((call) => {
    const made = call.kind === 'constant' ? [call.output] : call.outputs;
    if (!made.some(({ id }) => wanted.has(id))) return false;
    if (call.kind === 'operation') for (const { id } of call.inputs) wanted.add(id);
    return true;
  });
  return kept.reverse();
}

function variableNodes(index: number, { shape }: Variable): Node[] {
  const name = nodeNames.variable(index);
  const initial = nodeNames.initial(index);
  const dtype = floatType();
  const placed = { dtype, shape: shapeValue(shape) };
  return [
    {
      name,
      op: 'VarHandleOp',
      input: [],
      attr: { ...placed, shared_name: stringValue(name), container: stringValue('') },
    },
    { name: nodeNames.value(index), op: 'ReadVariableOp', input: [name], attr: { dtype } },
    { name: initial, op: 'Placeholder', input: [], attr: placed },
    { name: `${name}/set`, op: 'AssignVariableOp', input: [name, initial], attr: { dtype } },
    {
      name: nodeNames.initialised(index),
      op: 'Const',
      input: [`^${name}/set`],
      attr: constantAttributes({
        output: { shape: [], dtype: backend().binding.TF_FLOAT },
        values: new Float32Array(1),
      }),
    },
  ];
}

/** Adds what an input is fed to; the reference to its values as the body sees them. */
function addInput(nodes: Node[], name: string, { dtype, shape }: InputSpec): string {
  const { TF_FLOAT, TF_INT32, TF_UINT8 } = backend().binding;
  const type = { float32: TF_FLOAT, int32: TF_INT32, uint8: TF_UINT8 }[dtype];
  nodes.push({ name, op: 'Placeholder', input: [], attr: { dtype: { type }, shape: shapeValue(shape) } });
  if (dtype !== 'uint8') return name;
  const cast = `${name}/int32`;
  const attr = { SrcT: { type }, DstT: { type: TF_INT32 }, Truncate: { b: false } };
  nodes.push({ name: cast, op: 'Cast', input: [name], attr });
  return cast;
}

const floatType = () => ({ type: backend().binding.TF_FLOAT });
const stringValue = (text: string) => ({ s: Buffer.from(text) });
const shapeValue = (shape: readonly number[]) => ({ shape: { dim: shape.map((size) => ({ size })) } });

function constantAttributes({
  output,
  values,
}: {
  readonly output: { readonly shape: readonly number[]; readonly dtype: number };
  readonly values: TypedArray;
}): Record<string, object> {
  const content = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const tensor = {
    dtype: output.dtype,
    tensorShape: shapeValue(output.shape).shape,
    tensorContent: content,
  };
  return { dtype: { type: output.dtype }, value: { tensor } };
}

function attributeValue({ name, type, value }: Attribute): object {
  const { TF_ATTR_STRING, TF_ATTR_INT, TF_ATTR_FLOAT, TF_ATTR_BOOL, TF_ATTR_TYPE, TF_ATTR_SHAPE } =
    backend().binding;
  const list = Array.isArray(value);
  switch (type) {
    case TF_ATTR_STRING:
      return stringValue(String(value));
    case TF_ATTR_INT:
      return list ? { list: { i: value } } : { i: value };
    case TF_ATTR_FLOAT:
      return list ? { list: { f: value } } : { f: value };
    case TF_ATTR_BOOL:
      return list ? { list: { b: value } } : { b: Boolean(value) };
    case TF_ATTR_TYPE:
      return { type: value };
    case TF_ATTR_SHAPE:
      return shapeValue(value as readonly number[]);
    default:
      throw new RangeError(`attribute "${name}" has a type that no graph was written with yet: ${type}`);
  }
}
