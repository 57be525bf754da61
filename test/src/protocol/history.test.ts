import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { historyStride, withEpochs } from '../../../src/protocol/history.ts';

const at = (epoch: number, validationAccuracy = epoch / 1000) => ({ epoch, validationAccuracy });

describe('a history', () => {
  test('has the value of every epoch of a short Run', () => {
    expect(withEpochs([], 10, [at(1)])).toEqual([0.001]);
    expect(withEpochs([0.001], 10, [at(2), at(3)])).toEqual([0.001, 0.002, 0.003]);
  });

  test('has every fifth of 600', () => {
    const reported = Array.from({ length: 600 }, (_, index) => at(index + 1));
    const values = withEpochs([], 600, reported);
    expect(values).toHaveLength(120);
    expect([values[0], values[1], values.at(-1)]).toEqual([0.005, 0.01, 0.6]);
  });

  test('fills what nobody reported with the value before', () => {
    expect(withEpochs([0.5], 10, [at(4, 0.7)])).toEqual([0.5, 0.5, 0.5, 0.7]);
    expect(withEpochs([], 10, [at(3, 0.7)])).toEqual([0.7, 0.7, 0.7]);
  });

  test('takes the last word on an epoch that was trained again', () => {
    expect(withEpochs([0.1, 0.2, 0.3], 10, [at(2, 0.25)])).toEqual([0.1, 0.25, 0.3]);
  });

  test('is never longer than the API allows, and the same however it was pieced together', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 97 }), (epochs, piece) => {
        const all = Array.from({ length: epochs }, (_, index) => at(index + 1));
        let pieced: readonly number[] = [];
        for (let start = 0; start < epochs; start += piece) {
          pieced = withEpochs(pieced, epochs, all.slice(start, start + piece));
        }
        expect(pieced).toEqual(withEpochs([], epochs, all));
        expect(pieced.length).toBe(Math.floor(epochs / historyStride(epochs)));
        expect(pieced.length).toBeLessThanOrEqual(128);
      }),
      { numRuns: 50 },
    );
  });

  test('ignores an epoch after the last', () => {
    expect(withEpochs([0.1], 2, [at(900)])).toEqual([0.1]);
  });
});
