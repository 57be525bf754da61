/**
 * Whether a network really uses the pixels that a map points at: the insertion and deletion measures of Petsiuk, Das and
 * Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models", BMVC 2018, section 4.2.
 *
 * Pixels are inserted into the blurred image (σ = size / 8, more than RISE's, which suits small images), and deleted to
 * the mean colour.
 */
import { uniform } from '../nn/random.ts';
import type { Probe } from './probe.ts';
import { probabilities } from './softmax.ts';

/** Areas under the curve of the class's probability over the share of pixels changed, 0 – 1. */
export interface Faithfulness {
  /** Pixels appear, the most important first; high: they were the right ones. */
  readonly insertion: number;
  /** Pixels vanish, the most important first; low: they were the right ones. */
  readonly deletion: number;
}

/** An image, and what is asked about it. */
export interface FollowedImage {
  /** `[size, size, 3]`, normalised. */
  readonly input: Float32Array;
  /** The input blurred, which insertion starts with. */
  readonly blurred: Float32Array;
  /** Class whose probability is followed. */
  readonly target: number;
}

/** Equal steps in which all pixels are changed. */
const steps = 32;

/**
 * Insertion and deletion by the order of a map's values.
 *
 * @param map `[size, size]`.
 */
export async function faithfulness(
  probe: Probe,
  { input, blurred, target }: FollowedImage,
  map: Float32Array,
): Promise<Faithfulness> {
  const order = Array.from(map.keys()).sort((a, b) => (map[b] ?? 0) - (map[a] ?? 0));
  const paint = (canvas: Float32Array, source: (index: number) => number, step: number) => {
    for (const pixel of order.slice(0, Math.round((step * order.length) / steps))) {
      for (let index = 3 * pixel; index < 3 * pixel + 3; index++) canvas[index] = source(index);
    }
  };
  const logits = await probe.logits({
    count: 2 * (steps + 1),
    draw(index, canvas) {
      const isInsertion = index <= steps;
      canvas.set(isInsertion ? blurred : input);
      if (isInsertion) paint(canvas, (at) => input[at] ?? 0, index);
      // Of normalised images 0 is the mean colour.
      else paint(canvas, () => 0, index - steps - 1);
    },
  });
  const curve = probabilities(logits, probe.classes, target);
  return {
    insertion: areaUnder(curve.subarray(0, steps + 1)),
    deletion: areaUnder(curve.subarray(steps + 1)),
  };
}

/**
 * A map that knows nothing, to compare with: a random value for every cell of a map's own resolution. (Random pixels
 * would destroy an image sooner than any superpixel, and so look faithful.)
 *
 * @param cells `[size, size]`.
 */
export function randomMap(cells: Int32Array, seed: number, draw: number): Float32Array {
  return Float32Array.from(cells, (cell) => uniform(seed, draw, randomStream, cell));
}

const randomStream = 0x72_6e_64;

/** By the trapezoidal rule, over a range of 1. */
function areaUnder(curve: Float64Array): number {
  const inner = curve.reduce((sum, value) => sum + value, 0);
  return (inner - ((curve[0] ?? 0) + (curve.at(-1) ?? 0)) / 2) / (curve.length - 1);
}
