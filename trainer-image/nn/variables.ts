import type { Tensor, Tensor1D, Variable } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';

/** What a variable is; only weights decay, and statistics are not trained. */
export type VariableKind = 'weight' | 'scale' | 'shift' | 'bias' | 'mean' | 'variance';

export interface NamedVariable {
  /** Path as in a PyTorch state dictionary: `layer1.0.conv1.weight`, `bn1.running_mean`. */
  readonly name: string;
  readonly kind: VariableKind;
  readonly variable: Variable;
}

/** How many inputs an output of a layer sums, and how many outputs an input feeds, as PyTorch counts them. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/**
 * Draws the initial values of a weight: a filter `[k, k, in, out]` or a matrix `[in, out]`.
 *
 * They must not depend on what was drawn before, so that any order of creation gives the same.
 */
export type Initialiser = (name: string, shape: readonly number[], fans: Fans) => Float32Array;

/** Where a network's layers get their variables from, in order of creation. */
export class Variables {
  readonly all: NamedVariable[] = [];
  readonly #initial: Initialiser;

  constructor(initial: Initialiser) {
    this.#initial = initial;
  }

  weight<T extends Tensor>(name: string, shape: readonly number[], fans: Fans): T {
    return this.#add(name, 'weight', tf.tensor(this.#initial(name, shape, fans), [...shape], 'float32'));
  }

  filled(
    name: string,
    kind: Exclude<VariableKind, 'weight'>,
    size: number,
    value: number,
  ): Tensor1D & Variable {
    return this.#add(name, kind, tf.fill([size], value));
  }

  /** The variables that are trained, in order. */
  get trainable(): NamedVariable[] {
    return this.all.filter(({ kind }) => kind !== 'mean' && kind !== 'variance');
  }

  dispose(): void {
    for (const { variable } of this.all) variable.dispose();
  }

  #add<T>(name: string, kind: VariableKind, initial: Tensor): T {
    if (this.all.some((other) => other.name === name)) throw new RangeError(`variable ${name} exists twice`);
    // TensorFlow.js wants names that are unique in the process; ours are unique in the network only.
    const variable = tf.variable(initial, kind !== 'mean' && kind !== 'variance');
    initial.dispose();
    this.all.push({ name, kind, variable });
    return variable as unknown as T;
  }
}
