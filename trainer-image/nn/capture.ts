import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { writingSync } from '../storage/disk.ts';
import type { Variable } from '../tensorflow/tf.ts';
import { backend, type TypedArray } from './backend.ts';
import { buildGraph, type Graph, nodeNames } from './graph.ts';
import { type Functions, functionOf, type Program, readVariables } from './program.ts';

/**
 * Captures ordinary tfjs code as one TensorFlow graph and replays it: a call of `run` is one call into TensorFlow.
 *
 * Each function is executed once, eagerly, on zeros of the given shapes; what it did is written as a GraphDef and
 * loaded as a SavedModel whose variables live in its session. Code must not branch on values of tensors.
 */
export function capturedProgram(variables: readonly Variable[], functions: Functions): Program {
  const { binding } = backend();
  const graph = buildGraph(variables, functions);
  const session = loadGraph(graph);
  const indices = new Map(variables.map((variable, index) => [variable, index]));
  const indexOf = (variable: Variable) => {
    const index = indices.get(variable);
    if (index === undefined) throw new RangeError(`${variable.name} is not a variable of this program`);
    return index;
  };

  const call = (
    feeds: readonly (readonly [string, readonly number[], number, TypedArray])[],
    fetches: readonly string[],
  ) => {
    const ids = feeds.map(([, shape, dtype, values]) => binding.createTensor(shape, dtype, values));
    try {
      return binding
        .runSavedModel(session, ids, feeds.map(([name]) => name).join(','), fetches.join(','))
        .map(({ id }) => {
          const values = binding.tensorDataSync(id);
          binding.deleteTensor(id);
          return Float32Array.from(values);
        });
    } finally {
      for (const id of ids) binding.deleteTensor(id);
    }
  };

  const program: Program = {
    run(name, inputs) {
      const { inputs: specs } = functionOf(functions, name);
      const feeds = Object.entries(specs).map(([key, { dtype, shape }]) => {
        const values = inputs[key];
        if (values === undefined) throw new TypeError(`input "${key}" of "${name}" is missing`);
        return [nodeNames.input(name, key), shape, typeNumber(dtype), values] as const;
      });
      const keys = graph.outputs[name] ?? [];
      const values = call(
        feeds,
        keys.map((key) => nodeNames.output(name, key)),
      );
      return Object.fromEntries(keys.map((key, index) => [key, values[index] ?? new Float32Array()]));
    },
    read: (some) =>
      call(
        [],
        some.map((variable) => nodeNames.value(indexOf(variable))),
      ),
    write(some, values) {
      if (some.length === 0) return;
      // TensorFlow shares the memory of the arrays it is given and updates variables in place: copies are handed over.
      const feeds = some.map((variable, position) => {
        const given = values[position];
        if (given === undefined) throw new RangeError(`no values for variable ${position}`);
        return [
          nodeNames.initial(indexOf(variable)),
          variable.shape,
          binding.TF_FLOAT,
          given.slice(),
        ] as const;
      });
      call(
        feeds,
        some.map((variable) => nodeNames.initialised(indexOf(variable))),
      );
    },
    dispose: () => binding.deleteSavedModel(session),
  };
  program.write(variables, readVariables(variables));
  return program;
}

function typeNumber(dtype: 'float32' | 'int32' | 'uint8'): number {
  const { TF_FLOAT, TF_INT32, TF_UINT8 } = backend().binding;
  return { float32: TF_FLOAT, int32: TF_INT32, uint8: TF_UINT8 }[dtype];
}

function loadGraph(graph: Graph): number {
  const format = protobuf.loadSync(join(import.meta.dirname, 'saved-model.proto'));
  const bytes = format
    .lookupType('tensorflow.SavedModel')
    .encode({
      savedModelSchemaVersion: 1,
      metaGraphs: [
        { metaInfoDef: { tags: ['serve'] }, graphDef: { node: graph.nodes, versions: { producer: 1882 } } },
      ],
    })
    .finish();
  const folder = writingSync(tmpdir(), () => mkdtempSync(join(tmpdir(), 'destill-graph-')));
  try {
    const file = join(folder, 'saved_model.pb');
    writingSync(file, () => writeFileSync(file, bytes));
    return backend().binding.loadSavedModel(folder, 'serve');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
