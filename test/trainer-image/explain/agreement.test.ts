import { agreement, spearman, topOverlap } from '@destillml/trainer/explain/agreement.ts';
import { describe, expect, it } from 'vitest';
import { filled } from '../models/filled.ts';
import { reference } from './reference.ts';

describe('spearman', () => {
  it.each(reference.rankCorrelations)('is scipy’s: $spearman', ({ a, b, spearman: expected }) => {
    expect(spearman(a, b)).toBeCloseTo(expected, 12);
  });

  it('is 1 for any rising function, −1 for any falling one, 0 for a constant', () => {
    const map = filled('map', 100);
    expect(
      spearman(
        map,
        map.map((value) => Math.exp(3 * value)),
      ),
    ).toBeCloseTo(1, 12);
    expect(
      spearman(
        map,
        map.map((value) => -(value ** 3)),
      ),
    ).toBeCloseTo(-1, 12);
    expect(spearman(map, new Float32Array(100))).toBe(0);
  });
});

describe('topOverlap', () => {
  const ten = (...values: number[]) => [...values, ...Array(10 - values.length).fill(0)];

  it('is the share of the top 20 % that two maps have in common', () => {
    expect(topOverlap(ten(3, 2, 1), ten(2, 3, 1))).toBe(1);
    expect(topOverlap(ten(3, 2, 1), ten(3, 1, 2))).toBe(0.5);
    expect(topOverlap(ten(3, 2), ten(0, 0, 3, 2))).toBe(0);
  });

  it('shares the room among equal values', () => {
    // Of the four equal ones two have room: half of each counts.
    expect(topOverlap(ten(1, 1, 1, 1), ten(1, 1, 1, 1))).toBe(1);
    expect(topOverlap(ten(1, 1, 1, 1), ten(2, 1))).toBe(0.5);
  });

  it('is 0.2 of unrelated maps', () => {
    expect(topOverlap(filled('one', 10_000), filled('two', 10_000))).toBeCloseTo(0.2, 1);
  });
});

describe('agreement', () => {
  it('has mean and sample standard deviation over images', () => {
    const map = filled('map', 50);
    const found = agreement([
      [map, map],
      [map, map.map((value) => -value)],
    ]);
    expect(found.spearman.mean).toBeCloseTo(0, 12);
    expect(found.spearman.standardDeviation).toBeCloseTo(Math.SQRT2, 12);
    expect(found.topOverlap).toEqual({ mean: 0.5, standardDeviation: Math.SQRT1_2 });
    expect(found.images).toBe(2);
  });

  it('needs maps', () => {
    expect(() => agreement([])).toThrow('no maps to compare');
  });
});
