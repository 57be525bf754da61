/**
 * Kernel SHAP: Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", NeurIPS 2017, theorem 2:
 * Shapley values as a weighted linear regression over coalitions of superpixels.
 *
 * Coalitions are chosen as the package shap does: whole sizes while there are samples for all of a size, the smallest
 * and largest first, because they weigh most; the rest at random, each with its complement.
 */
import { uniform } from '../nn/random.ts';
import { type Masks, normalEquations, solve } from './least-squares.ts';

/** Coalitions and their weights in the regression, which sum to 1. */
export interface Coalitions {
  readonly masks: Masks;
  readonly weights: Float64Array;
}

/** Tells these draws from others of the same seed. */
const shapStream = 0x73_68_61_70;

/**
 * Coalitions of `players` superpixels: neither all nor none of them.
 *
 * @param samples how many, about: at least those of one player and of all but one, at most the 2ⁿ − 2 there are.
 */
export function coalitions(players: number, samples: number, seed: number): Coalitions {
  const weights = new Map<string, number>();
  const add = (mask: Uint8Array, weight: number) => {
    const key = mask.join('');
    weights.set(key, (weights.get(key) ?? 0) + weight);
  };
  // Pairs of sizes k and n − k, which are the same one in the middle, and the kernel's weight of all of their coalitions.
  const pairs = Array.from({ length: Math.floor(players / 2) }, (_, index) => {
    const size = index + 1;
    const sizes = 2 * size === players ? 1 : 2;
    return { size, sizes, weight: (sizes * (players - 1)) / (size * (players - size)) };
  });
  const total = pairs.reduce((sum, { weight }) => sum + weight, 0);

  let left = samples;
  let weightLeft = total;
  let complete = 0;
  for (const { size, sizes, weight } of pairs) {
    const count = sizes * binomial(players, size);
    if (size > 1 && (left * weight) / weightLeft < count) break;
    for (const mask of combinations(players, size)) {
      add(mask, weight / total / count);
      if (sizes === 2) add(complement(mask), weight / total / count);
    }
    left -= count;
    weightLeft -= weight;
    complete++;
  }
  const drawn = pairs.slice(complete);
  const draws = drawn.length > 0 ? Math.max(0, Math.floor(left / 2)) : 0;
  for (let draw = 0; draw < draws; draw++) {
    const size = drawSize(drawn, uniform(seed, draw, shapStream));
    const mask = drawCoalition(players, size, seed, draw);
    const weight = weightLeft / total / (2 * draws);
    add(mask, weight);
    add(complement(mask), weight);
  }

  const values = Uint8Array.from([...weights.keys()].join(''), Number);
  const sum = [...weights.values()].reduce((total, weight) => total + weight, 0);
  return {
    masks: { rows: weights.size, columns: players, values },
    weights: Float64Array.from(weights.values(), (weight) => weight / sum),
  };
}

/**
 * The Shapley values `[players]` that the coalitions' values determine; they sum to `full − empty`.
 *
 * @param values v(S) of each coalition, `[masks.rows]`.
 * @param empty v of no player.
 * @param full v of all players.
 */
export function shapleyValues(
  { masks, weights }: Coalitions,
  values: ArrayLike<number>,
  empty: number,
  full: number,
): Float64Array {
  const { rows, columns } = masks;
  const last = columns - 1;
  // The last value is what the others leave of the sum.
  const equations = Array.from({ length: rows }, (_, index) => {
    const shown = masks.values.subarray(index * columns, (index + 1) * columns);
    const lastShown = shown[last] ?? 0;
    return {
      x: Float64Array.from(shown.subarray(0, last), (value) => value - lastShown),
      y: (values[index] ?? 0) - empty - lastShown * (full - empty),
      weight: weights[index] ?? 0,
    };
  });
  const { matrix, right } = normalEquations(equations, last);
  const found = solve(matrix, right);
  const sum = found.reduce((total, value) => total + value, 0);
  return Float64Array.of(...found, full - empty - sum);
}

interface Pair {
  readonly size: number;
  readonly weight: number;
}

function drawSize(pairs: readonly Pair[], share: number): number {
  let rest = share * pairs.reduce((sum, { weight }) => sum + weight, 0);
  for (const { size, weight } of pairs) {
    rest -= weight;
    if (rest < 0) return size;
  }
  return pairs.at(-1)?.size ?? 1;
}

/** `size` players out of all, by the start of Fisher and Yates' shuffle. */
function drawCoalition(players: number, size: number, seed: number, draw: number): Uint8Array {
  const order = Array.from({ length: players }, (_, index) => index);
  const mask = new Uint8Array(players);
  for (let index = 0; index < size; index++) {
    const other = index + Math.floor(uniform(seed, draw, shapStream, index + 1) * (players - index));
    const player = order[other] ?? 0;
    order[other] = order[index] ?? 0;
    mask[player] = 1;
  }
  return mask;
}

function complement(mask: Uint8Array): Uint8Array {
  return mask.map((value) => 1 - value);
}

/** All masks of `players` with `size` ones. */
function* combinations(players: number, size: number): Generator<Uint8Array> {
  const chosen = Array.from({ length: size }, (_, index) => index);
  for (;;) {
    const mask = new Uint8Array(players);
    for (const player of chosen) mask[player] = 1;
    yield mask;
    // The last player that can still move up; those after it follow right behind.
    const moving = chosen.findLastIndex((player, index) => player < players - size + index);
    if (moving < 0) return;
    const start = (chosen[moving] ?? 0) + 1;
    for (let index = moving; index < size; index++) chosen[index] = start + index - moving;
  }
}

function binomial(n: number, k: number): number {
  let result = 1;
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i;
  return result;
}
