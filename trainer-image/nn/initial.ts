import { hash, uniform } from './random.ts';
import type { Initialiser } from './variables.ts';

/**
 * The usual initial weights of PyTorch networks, a pure function of (seed, name, index).
 *
 * Filters are normal with variance 2 / fanOut (He et al., "Delving Deep into Rectifiers", ICCV 2015, eq. 14);
 * matrices are uniform within ±1 / √fanIn, as `nn.Linear` draws them.
 *
 * @param seed an integer; its low 32 bits count.
 */
export function kaiming(seed: number): Initialiser {
  return (name, shape, { fanIn, fanOut }) => {
    const values = new Float32Array(shape.reduce((size, side) => size * side, 1));
    const stream = hashOf(name);
    if (shape.length === 4) fillNormal(values, Math.sqrt(2 / fanOut), seed, stream);
    else fillUniform(values, 1 / Math.sqrt(fanIn), seed, stream);
    return values;
  };
}

/** Box and Muller's transform makes two normal numbers of two uniform ones. */
function fillNormal(values: Float32Array, deviation: number, seed: number, stream: number): void {
  for (let index = 0; index < values.length; index += 2) {
    // uniform() can be 0 and never 1; the logarithm takes the opposite.
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - uniform(seed, stream, index)));
    const angle = 2 * Math.PI * uniform(seed, stream, index + 1);
    values[index] = radius * Math.cos(angle);
    if (index + 1 < values.length) values[index + 1] = radius * Math.sin(angle);
  }
}

function fillUniform(values: Float32Array, bound: number, seed: number, stream: number): void {
  for (let index = 0; index < values.length; index++) {
    values[index] = bound * (2 * uniform(seed, stream, index) - 1);
  }
}

/** An unsigned 32-bit integer of a name. */
function hashOf(name: string): number {
  let state = name.length;
  for (let index = 0; index < name.length; index++) state = hash(state, name.charCodeAt(index), index);
  return state;
}
