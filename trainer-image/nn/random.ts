/**
 * Counter-based random numbers: every draw is a pure function of a seed and counters such as (epoch, image, draw).
 *
 * There is no state to save: a resumed training draws what an uninterrupted one would have drawn, in any order
 * and whatever the batch size.
 */

/** 2⁻³²: turns an unsigned 32-bit integer into a share of [0, 1). */
const unit = 1 / 4_294_967_296;

/** Tells the draws of {@link shuffled} from other draws of the same seed and epoch. */
const shuffleStream = 0x73_68_75_66;

/** MurmurHash3's finaliser: a bijection of 32-bit integers in which every input bit reaches every output bit. */
function mix(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * An unsigned 32-bit integer that depends on the seed and up to four counters (integers; their low 32 bits count).
 *
 * A counter left out is 0. The mixing is pcg4d (Jarzynski & Olano, "Hash Functions for GPU Rendering", JCGT 2020)
 * and a finaliser: 128 bits of state, so that different counters do not meet in one state.
 */
export function hash(seed: number, a = 0, b = 0, c = 0, d = 0): number {
  let x = (Math.imul(seed ^ mix(d), 1664525) + 1013904223) | 0;
  let y = (Math.imul(a, 1664525) + 1013904223) | 0;
  let z = (Math.imul(b, 1664525) + 1013904223) | 0;
  let w = (Math.imul(c, 1664525) + 1013904223) | 0;
  x = (x + Math.imul(y, w)) | 0;
  y = (y + Math.imul(z, x)) | 0;
  z = (z + Math.imul(x, y)) | 0;
  w = (w + Math.imul(y, z)) | 0;
  x ^= x >>> 16;
  y ^= y >>> 16;
  z ^= z >>> 16;
  w ^= w >>> 16;
  x = (x + Math.imul(y, w)) | 0;
  y = (y + Math.imul(z, x)) | 0;
  z = (z + Math.imul(x, y)) | 0;
  w = (w + Math.imul(y, z)) | 0;
  return mix(x ^ w) >>> 0;
}

/** A number in [0, 1), a multiple of 2⁻³²; counters as for {@link hash}. */
export function uniform(seed: number, a = 0, b = 0, c = 0, d = 0): number {
  return hash(seed, a, b, c, d) * unit;
}

/** The integers 0 … n − 1 in an order drawn from (seed, epoch) by Fisher and Yates' shuffle. */
export function shuffled(n: number, seed: number, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, index) => index);
  for (let last = n - 1; last > 0; last--) {
    const other = Math.floor(uniform(seed, epoch, last, shuffleStream) * (last + 1));
    const held = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = held;
  }
  return order;
}
