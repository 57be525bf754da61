import { expect, test } from 'vitest';
import type { Dimension } from '../../../src/search/dimension.ts';
import { randomOf } from '../../../src/search/random.ts';
import { coordinate, sobolValues, unscrambled } from '../../../src/search/sobol.ts';
import { reference } from './reference.ts';

test("64 dimensions are SciPy's, point for point", () => {
  const points = reference.sobol.map((point, i) => point.map((_, axis) => coordinate(unscrambled(axis), i)));
  expect(points).toEqual(reference.sobol);
});

test('scrambled points are a net still: each box of a 64th has one of 64, whatever its shape', () => {
  for (const seed of [1, 2, 3]) {
    const points = scrambledPoints(seed, 64);
    for (const columns of [1, 2, 4, 8, 16, 32, 64]) {
      const boxes = points.map(([x, y]) => `${Math.floor(x * columns)} ${Math.floor((y * 64) / columns)}`);
      expect(new Set(boxes).size, `${columns} columns`).toBe(64);
    }
  }
});

test('another seed or study gives other points', () => {
  expect(scrambledPoints(1, 4)).not.toEqual(scrambledPoints(2, 4));
  expect(scrambledPoints(1, 4, 'a')).not.toEqual(scrambledPoints(1, 4, 'b'));
  expect(scrambledPoints(1, 4)).toEqual(scrambledPoints(1, 4));
});

test('dimensions beyond the table are in their range', () => {
  const space = Array.from({ length: 80 }, (_, i) => double(`x${i}`));
  const values = sobolValues(space, [], 5, { seed: 1, study: 's' }, randomOf(1));
  expect(Object.values(values!).every((value) => Number(value) >= 0 && Number(value) <= 1)).toBe(true);
  expect(values!.x70).not.toBe(values!.x71);
});

function scrambledPoints(seed: number, count: number, study = 's'): (readonly [number, number])[] {
  const space = [double('x'), double('y')];
  return Array.from({ length: count }, (_, point) => {
    const values = sobolValues(space, [], point, { seed, study }, randomOf(0));
    return [Number(values!.x), Number(values!.y)] as const;
  });
}

function double(name: string): Dimension {
  return { name, kind: 'double', min: 0, max: 1, scale: 'linear' };
}
