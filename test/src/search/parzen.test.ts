import { describe, expect, test } from 'vitest';
import { evidenceOf, improvements, split } from '../../../src/search/evidence.ts';
import { normalMass, truncatedQuantile } from '../../../src/search/normal.ts';
import { draw, logDensities, parzen, rampedWeights } from '../../../src/search/parzen.ts';
import { randomOf } from '../../../src/search/random.ts';
import { dimensions, reference } from './reference.ts';

describe.each(reference.densities)('the density over $names, of $observed.length observations', (its) => {
  const space = its.names.map((name) => dimensions[name]!);
  const density = parzen(space, its.observed, rampedWeights(its.observed.length));

  test("has Optuna's weights and widths", () => {
    expectClose(density.weights, its.weights);
    for (const factor of density.factors) {
      if (factor.kind !== 'normal') continue;
      expectClose(Array.from(factor.deviations), its.deviations[factor.dimension.name]!);
    }
  });

  test('has its logarithms at points', () => {
    expectClose(logDensities(density, its.points), its.logDensities);
  });

  test('is drawn from as it says', () => {
    const random = randomOf(1, 'draws');
    const drawn = Array.from({ length: 2000 }, () => draw(density, random));
    for (const [i, dimension] of space.entries()) {
      if (dimension.name === 'double' || dimension.name === 'log') continue;
      const alone = { ...density, factors: [density.factors[i]!] };
      const value = drawn[0]![dimension.name]!;
      const expected = Math.exp(logDensities(alone, [{ [dimension.name]: value }])[0]!);
      const share = drawn.filter((one) => one[dimension.name] === value).length / drawn.length;
      // Five standard deviations.
      expect(Math.abs(share - expected)).toBeLessThan(5 * Math.sqrt((expected * (1 - expected)) / 2000));
    }
  });
});

test.each(reference.splits)('of $trials.length trials those are good that are for Optuna', (its) => {
  const evidence = evidenceOf(its.trials);
  const known = evidence.filter(({ reached }) => reached !== undefined).length;
  const { below, above } = split(evidence, Math.min(Math.ceil(known / 10), 25));
  expect(below.map(({ number }) => number)).toEqual(its.below);
  expect(above.map(({ number }) => number)).toEqual(its.above);
});

describe('the good trials count by how much better they are than the best of the others', () => {
  const trial = (number: number, value: number, reached: number | undefined = Number.POSITIVE_INFINITY) => ({
    number,
    values: {},
    reached,
    value,
  });

  test('in the mean of that', () => {
    expect(improvements([trial(1, 5), trial(2, 3)], [trial(3, 1), trial(4, 2), trial(5, 9, 4)])).toEqual([
      1.5, 0.5,
    ]);
    expect(improvements([trial(1, 5), trial(2, 2)], [trial(3, 2)])).toEqual([2, 0]);
  });

  test.each([
    ['none is better', [trial(1, 2), trial(2, 2)], [trial(3, 2)]],
    ['nothing is known of the others', [trial(1, 2), trial(2, 3)], [{ number: 3, values: {}, value: 0 }]],
    ['the others went less far', [trial(1, 2), trial(2, 3)], [trial(3, 9, 4)]],
    ['one of them went less far', [trial(1, 2), trial(2, 3, 4)], [trial(3, 1, 4), trial(4, 1)]],
    ['nothing was reported', [trial(1, -Infinity, 0), trial(2, -Infinity, 0)], [trial(3, -Infinity, 0)]],
  ])('but equally where %s', (_, good, others) => {
    expect(improvements(good, others)).toEqual([1, 1]);
  });
});

test.each(reference.masses)('the normal distribution from $from to $to', ({ from, to, mass }) => {
  expect(Math.abs(normalMass(from, to) / mass - 1)).toBeLessThan(1e-12);
});

test('a quantile has its share below it', () => {
  for (const [low, high] of [
    [-1, 2],
    [-40, 0.1],
    [0, 100],
    [-0.01, 0.01],
  ] as const) {
    for (const share of [0, 1e-6, 0.25, 0.5, 0.999]) {
      const point = truncatedQuantile(share, low, high);
      expect(normalMass(low, point) / normalMass(low, high)).toBeCloseTo(share, 9);
    }
  }
});

function expectClose(values: readonly number[], expected: readonly number[]): void {
  expect(values.length).toBe(expected.length);
  for (const [i, value] of values.entries()) {
    expect(Math.abs(value - expected[i]!), `${i}: ${value}, not ${expected[i]}`).toBeLessThan(
      1e-9 * Math.max(1, Math.abs(expected[i]!)),
    );
  }
}
