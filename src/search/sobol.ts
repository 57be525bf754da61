import { valueFrom } from './dimension.ts';
import { freshValues } from './fresh.ts';
import { type Random, randomOf, wordsOf } from './random.ts';
import { directionsOf, sobolDimensions } from './sobol-directions.ts';
import type { Space, Values } from './space.ts';

const bits = 32;

/**
 * The configuration at a point of a scrambled Sobol sequence, from 0: points that cover the space more evenly than
 * random ones. Each dimension of the space has a coordinate of its own, in the space's order, whether or not it
 * exists in a configuration. Dimensions beyond the table's are random.
 */
export function sobolValues(
  space: Space,
  taken: readonly Values[],
  point: number,
  key: { readonly seed: number; readonly study: string },
  random: Random,
): Values | undefined {
  const shares = new Map(
    space.map(({ name }, axis) => {
      const share =
        axis < sobolDimensions
          ? coordinate(scrambled(axis, wordsOf(key.seed, key.study, 'sobol', axis)), point)
          : randomOf(key.seed, key.study, 'sobol', axis, point)();
      return [name, share];
    }),
  );
  return freshValues(
    space,
    taken,
    (dimension) => valueFrom(dimension, shares.get(dimension.name) ?? 0),
    random,
  );
}

/** How one coordinate of the sequence is made: its direction numbers, and the bits that are flipped at the end. */
export type Axis = { readonly directions: readonly number[]; readonly shift: number };

export function unscrambled(axis: number): Axis {
  return { directions: directionsOf(axis), shift: 0 };
}

/** In [0, 1), in the order of the Gray code (Antonov & Saleev 1979), which SciPy uses, too. */
export function coordinate({ directions, shift }: Axis, point: number): number {
  let gray = (point ^ (point >>> 1)) >>> 0;
  let word = shift;
  for (let bit = 0; gray !== 0; bit++, gray >>>= 1) if (gray & 1) word ^= directions[bit] ?? 0;
  return (word >>> 0) / 2 ** bits;
}

/**
 * Matoušek's linear scramble (1998): the digits of each coordinate are multiplied by a random lower triangular matrix
 * with ones on its diagonal, and a random digital shift is added. The points stay a Sobol net.
 */
function scrambled(axis: number, words: () => number): Axis {
  const rows = Array.from({ length: bits }, (_, row) => {
    const diagonal = 2 ** (bits - 1 - row);
    const left = row === 0 ? 0 : (0xffffffff << (bits - row)) >>> 0;
    return ((words() & left) | diagonal) >>> 0;
  });
  const directions = directionsOf(axis).map((direction) =>
    rows.reduce((word, row, i) => word + (parity(row & direction) ? 2 ** (bits - 1 - i) : 0), 0),
  );
  return { directions, shift: words() };
}

function parity(word: number): boolean {
  let folded = word;
  for (const half of [16, 8, 4, 2, 1]) folded ^= folded >>> half;
  return (folded & 1) === 1;
}
