import { normalEquations, solve } from '@destillml/trainer/explain/least-squares.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { filled } from '../models/filled.ts';
import { relativeError } from './reference.ts';

it('finds the unknowns of equations that agree, whatever their weights', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(), (n, seed) => {
      const wanted = filled(`wanted${seed}`, n);
      const rows = Array.from({ length: 3 * n }, (_, index) => {
        const x = Float64Array.from(filled(`row${index} ${seed}`, n));
        const y = x.reduce((sum, value, i) => sum + value * wanted[i]!, 0);
        return { x, y, weight: 1 + filled(`weight${index} ${seed}`, 1)[0]! / 2 };
      });
      const { matrix, right } = normalEquations(rows, n);
      expect(relativeError(solve(matrix, right), wanted)).toBeLessThan(1e-6);
    }),
    { numRuns: 30 },
  );
});

it('names an unknown that the equations do not determine', () => {
  const row = { x: Float64Array.of(1, 2, 0), y: 1, weight: 1 };
  const { matrix, right } = normalEquations([row], 3);
  expect(() => solve(matrix, right)).toThrow('the equations do not determine unknown 1');
});
