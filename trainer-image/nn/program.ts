import type { Tensor, Variable } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';
import type { TypedArray } from './backend.ts';

/** Shape and type of an input; `uint8` arrives in the body as an int32 tensor. */
export interface InputSpec {
  readonly dtype: 'float32' | 'int32' | 'uint8';
  readonly shape: readonly number[];
}

/** A computation over the variables of a program, with fixed input shapes. It may assign variables. */
export interface ProgramFunction {
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly body: (inputs: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>;
}

export type Values = Readonly<Record<string, TypedArray>>;

/** Variables and the functions that compute with them: as one captured graph, or eagerly with the same results. */
export interface Program {
  /** Runs a function; the values of its outputs. Input arrays must not be written to until it returns. */
  run(name: string, inputs: Values): Record<string, Float32Array>;
  /** Copies of the values of some of its variables. */
  read(variables: readonly Variable[]): Float32Array[];
  /** Gives some of its variables new values. */
  write(variables: readonly Variable[], values: readonly Float32Array[]): void;
  dispose(): void;
}

export type Functions = Readonly<Record<string, ProgramFunction>>;

/** Runs functions operation by operation, as ordinary tfjs code. */
export function eagerProgram(functions: Functions): Program {
  return {
    run(name, inputs) {
      const { inputs: specs, body } = functionOf(functions, name);
      return tf.tidy(() => {
        const tensors: Record<string, Tensor> = {};
        for (const [key, spec] of Object.entries(specs)) {
          const values = inputs[key];
          if (values === undefined) throw new TypeError(`input "${key}" of "${name}" is missing`);
          tensors[key] = tf.tensor(
            values instanceof Uint8Array ? Int32Array.from(values) : values,
            [...spec.shape],
            spec.dtype === 'float32' ? 'float32' : 'int32',
          );
        }
        const outputs: Record<string, Float32Array> = {};
        for (const [key, tensor] of Object.entries(body(tensors))) {
          outputs[key] = Float32Array.from(tensor.dataSync());
        }
        return outputs;
      });
    },
    read: readVariables,
    write: writeVariables,
    dispose() {},
  };
}

export function functionOf(functions: Functions, name: string): ProgramFunction {
  const found = functions[name];
  if (found === undefined) throw new RangeError(`program has no function "${name}"`);
  return found;
}

export function readVariables(variables: readonly Variable[]): Float32Array[] {
  return variables.map((variable) => Float32Array.from(variable.dataSync()));
}

/** Gives every variable a copy of its values. */
function writeVariables(variables: readonly Variable[], values: readonly Float32Array[]): void {
  variables.forEach((variable, index) => {
    const given = values[index];
    if (given?.length !== variable.size) {
      throw new RangeError(
        `variable ${variable.name} has ${variable.size} values, got ${given?.length ?? 0}`,
      );
    }
    tf.tidy(() => variable.assign(tf.tensor(given.slice(), variable.shape, 'float32')));
  });
}
