import { hash, shuffled, uniform } from '@destillml/trainer/nn/random.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

/** Chi-squared statistic of draws counted in `bins` equally likely bins. */
function chiSquared(draws: number, bins: number, bin: (i: number) => number): number {
  const counts = new Float64Array(bins);
  for (let i = 0; i < draws; i++) counts[bin(i)]! += 1;
  const expected = draws / bins;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Chi-squared of `freedom` degrees lies within 5 standard deviations of its mean. */
function expectUniform(statistic: number, freedom: number): void {
  expect(Math.abs(statistic - freedom) / Math.sqrt(2 * freedom)).toBeLessThan(5);
}

describe('hash', () => {
  it('keeps its values from version to version, so that a seed means the same experiment', () => {
    expect([
      hash(0),
      hash(1),
      hash(42, 3, 7),
      hash(42, 3, 7, 1),
      hash(42, 3, 7, 1, 9),
      hash(-5, 2 ** 31),
    ]).toEqual([1445971972, 3645577555, 1627995267, 2988290700, 1267191184, 27376659]);
  });

  it('is an unsigned 32-bit integer for any seed and counters', () => {
    fc.assert(
      fc.property(int32, int32, int32, int32, int32, (seed, a, b, c, d) => {
        const value = hash(seed, a, b, c, d);
        expect(Number.isInteger(value) && value >= 0 && value < 2 ** 32).toBe(true);
        expect(hash(seed, a, b, c, d)).toBe(value);
      }),
    );
  });

  it.each([
    ['the seed', (i: number) => hash(i)],
    ['the first counter', (i: number) => hash(1, i)],
    ['the second counter', (i: number) => hash(1, 2, i)],
    ['the third counter', (i: number) => hash(1, 2, 3, i)],
    ['the fourth counter', (i: number) => hash(1, 2, 3, 4, i)],
  ])('is uniform in its high, low and consecutive bits as %s counts up', (_, draw) => {
    expectUniform(
      chiSquared(200_000, 256, (i) => draw(i) >>> 24),
      255,
    );
    expectUniform(
      chiSquared(200_000, 256, (i) => draw(i) & 255),
      255,
    );
    expectUniform(
      chiSquared(200_000, 256, (i) => ((draw(i) >>> 28) << 4) | (draw(i + 1) >>> 28)),
      255,
    );
  });

  it('flips half of its bits when one bit of the seed or of a counter flips', () => {
    for (let word = 0; word < 5; word++) {
      for (let bit = 0; bit < 32; bit++) {
        let flips = 0;
        for (let i = 0; i < 500; i++) {
          const words: [number, number, number, number, number] = [i, 7 * i, i ^ 5, 3, i >> 2];
          const before = hash(...words);
          words[word]! ^= 1 << bit;
          let difference = before ^ hash(...words);
          for (; difference !== 0; difference &= difference - 1) flips++;
        }
        expect(Math.abs(flips / 500 - 16), `word ${word} bit ${bit}`).toBeLessThan(1);
      }
    }
  });
});

describe('uniform', () => {
  it('lies in [0, 1) with mean 1/2 and variance 1/12', () => {
    const draws = Float64Array.from({ length: 200_000 }, (_, i) => uniform(9, 1, i));
    const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
    const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length;
    expect(draws.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(mean).toBeCloseTo(1 / 2, 2);
    expect(variance).toBeCloseTo(1 / 12, 3);
  });
});

describe('shuffled', () => {
  it('holds every integer once, for any length', () => {
    fc.assert(
      fc.property(fc.nat(300), int32, fc.nat(1000), (n, seed, epoch) => {
        expect([...shuffled(n, seed, epoch)].sort((a, b) => a - b)).toEqual([...Array(n).keys()]);
      }),
    );
  });

  it('differs between epochs and seeds, and is the same for the same two', () => {
    expect(shuffled(100, 1, 0)).toEqual(shuffled(100, 1, 0));
    expect(shuffled(100, 1, 0)).not.toEqual(shuffled(100, 1, 1));
    expect(shuffled(100, 1, 0)).not.toEqual(shuffled(100, 2, 0));
  });

  it('makes all orders of four equally likely', () => {
    const orders = new Map<string, number>();
    for (let epoch = 0; epoch < 24_000; epoch++) {
      const order = shuffled(4, 3, epoch).join();
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    const counts = [...orders.values()];
    expect(counts.length).toBe(24);
    expectUniform(
      counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0),
      23,
    );
  });
});
