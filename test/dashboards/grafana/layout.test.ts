import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { columns, flow } from '../../../dashboards/grafana/layout.ts';

describe('panels flow', () => {
  it('side by side from the left, then below the tallest of the line', () => {
    const sizes = [
      { width: 12, height: 4 },
      { width: 12, height: 8 },
      { width: 8, height: 3 },
    ];
    expect(flow(sizes, 1)).toEqual({
      places: [
        { x: 0, y: 1, w: 12, h: 4 },
        { x: 12, y: 1, w: 12, h: 8 },
        { x: 0, y: 9, w: 8, h: 3 },
      ],
      bottom: 12,
    });
  });

  it('to where there is room', () => {
    const sizes = [16, 8, 16].map((width) => ({ width, height: 2 }));
    expect(flow(sizes, 0).places.map(({ x, y }) => [x, y])).toEqual([
      [0, 0],
      [16, 0],
      [0, 2],
    ]);
  });

  test('one that is wider than the grid is refused', () => {
    expect(() => flow([{ width: 25, height: 1 }], 0)).toThrow('a panel has 25 columns, and the grid 24');
  });

  it('without any overlap', () => {
    const size = fc.record({
      width: fc.integer({ min: 1, max: columns }),
      height: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(
      fc.property(fc.array(size, { maxLength: 20 }), (sizes) => {
        const taken = new Set<string>();
        for (const { x, y, w, h } of flow(sizes, 3).places) {
          expect(x + w).toBeLessThanOrEqual(columns);
          for (let column = x; column < x + w; column += 1) {
            for (let line = y; line < y + h; line += 1) {
              expect(taken).not.toContain(`${column},${line}`);
              taken.add(`${column},${line}`);
            }
          }
        }
      }),
    );
  });
});
