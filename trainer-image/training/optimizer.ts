import type { NamedVariable } from '../nn/variables.ts';
import type { Tensor, Variable } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';

/** A trained variable and its velocity, of the same shape. */
export interface Trained {
  readonly parameter: NamedVariable;
  readonly velocity: Variable;
}

export interface SgdOptions {
  readonly momentum: number;
  /** Added to the gradient of weights; batch-norm scales and shifts and biases do not decay. */
  readonly weightDecay: number;
}

export function withVelocities(parameters: readonly NamedVariable[]): Trained[] {
  return parameters.map((parameter) => ({
    parameter,
    velocity: tf.variable(tf.zeros(parameter.variable.shape), false),
  }));
}

/**
 * Stochastic gradient descent with momentum as in PyTorch:
 * v ← μ·v + g + λ·w, then w ← w − rate·v.
 *
 * @param gradients by the TensorFlow.js name of the variable.
 * @param rate learning rate, a scalar.
 */
export function applySgd(
  trained: readonly Trained[],
  gradients: Readonly<Record<string, Tensor>>,
  rate: Tensor,
  { momentum, weightDecay }: SgdOptions,
): void {
  for (const { parameter, velocity } of trained) {
    const { variable, kind, name } = parameter;
    const gradient = gradients[variable.name];
    if (gradient === undefined) throw new RangeError(`no gradient for ${name}`);
    const decays = kind === 'weight' && weightDecay > 0;
    const direction = decays ? tf.add(gradient, tf.mul(variable, weightDecay)) : gradient;
    velocity.assign(tf.add(tf.mul(velocity, momentum), direction));
    variable.assign(tf.sub(variable, tf.mul(velocity, rate)));
  }
}
