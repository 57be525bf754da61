import { kaiming } from '@destillml/trainer/nn/initial.ts';
import { describe, expect, test } from 'vitest';

const fans = { fanIn: 288, fanOut: 576 };
const filter = kaiming(1)('layer1.0.conv1.weight', [3, 3, 32, 64], fans);

function moments(values: Float32Array): { mean: number; deviation: number; kurtosis: number } {
  const average = (f: (value: number) => number) => values.reduce((sum, v) => sum + f(v), 0) / values.length;
  const mean = average((v) => v);
  const variance = average((v) => (v - mean) ** 2);
  return { mean, deviation: Math.sqrt(variance), kurtosis: average((v) => (v - mean) ** 4) / variance ** 2 };
}

describe('initial weights', () => {
  test('of a filter are normal with variance 2 / fanOut', () => {
    const { mean, deviation, kurtosis } = moments(filter);
    expect(filter).toHaveLength(3 * 3 * 32 * 64);
    expect(Math.abs(mean)).toBeLessThan(0.02 * deviation);
    expect(deviation / Math.sqrt(2 / 576)).toBeCloseTo(1, 1.5);
    expect(kurtosis).toBeCloseTo(3, 0.5);
  });

  test('of a matrix are uniform within ±1 / √fanIn', () => {
    const values = kaiming(1)('fc.weight', [64, 100], { fanIn: 64, fanOut: 100 });
    const { mean, deviation } = moments(values);
    const bound = 1 / 8;
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...values)).toBeGreaterThan(0.99 * bound);
    expect(Math.abs(mean)).toBeLessThan(0.02 * bound);
    expect(deviation / bound).toBeCloseTo(1 / Math.sqrt(3), 1.5);
  });

  test('are the same for the same seed and name, and finite', () => {
    expect(kaiming(1)('layer1.0.conv1.weight', [3, 3, 32, 64], fans)).toEqual(filter);
    expect(filter.every(Number.isFinite)).toBe(true);
  });

  test.each([
    ['seeds', kaiming(2)('layer1.0.conv1.weight', [3, 3, 32, 64], fans)],
    ['names', kaiming(1)('layer1.0.conv2.weight', [3, 3, 32, 64], fans)],
  ])('of different %s have nothing in common', (_, other) => {
    const product = filter.reduce((sum, value, index) => sum + value * other[index]!, 0);
    const size = Math.sqrt(
      filter.reduce((sum, v) => sum + v * v, 0) * other.reduce((sum, v) => sum + v * v, 0),
    );
    expect(Math.abs(product / size)).toBeLessThan(0.02);
  });

  test('of an odd number of values are all drawn', () => {
    expect(kaiming(1)('w', [1, 1, 1, 3], { fanIn: 1, fanOut: 3 }).every((value) => value !== 0)).toBe(true);
  });
});
