import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holm, pairedDifference, signedRankTest } from '../../../src/results/statistics.ts';

type Reference = {
  readonly paired: Readonly<
    Record<
      string,
      {
        readonly differences: readonly number[];
        readonly low: number;
        readonly high: number;
        readonly pValue: number;
        readonly wilcoxonPValue: number;
      }
    >
  >;
  readonly holm: readonly { readonly pValues: readonly number[]; readonly adjusted: readonly number[] }[];
};

/** Written by test/reference/statistics.py. */
const reference: Reference = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/statistics.json'), 'utf8'),
);

/** jstat's distribution function is right to eight digits. */
const near = (value: number) => expect.closeTo(value, 7);

describe('differences between pairs', () => {
  it.each(Object.entries(reference.paired))('%s: interval and tests are those of SciPy', (_, told) => {
    const found = pairedDifference(told.differences);
    expect(found?.confidence).toEqual({ low: near(told.low), high: near(told.high) });
    expect(found?.pValue).toEqual(near(told.pValue));
    expect(signedRankTest(told.differences)).toEqual(near(told.wilcoxonPValue));
    expect(found?.wilcoxonPValue).toEqual(
      told.differences.length < 6 ? undefined : near(told.wilcoxonPValue),
    );
  });

  it('are nothing where there is no pair, and a mean alone where there is one', () => {
    expect(pairedDifference([])).toBeUndefined();
    expect(pairedDifference([0.02])).toEqual({ mean: 0.02 });
  });

  it('that are all equal have no interval: their deviation is not known', () => {
    expect(pairedDifference([0.1 + 0.2, 0.3])).toEqual({
      mean: expect.closeTo(0.3, 12),
      standardDeviation: 0,
    });
    expect(pairedDifference(Array(6).fill(0.01))).toEqual({
      mean: near(0.01),
      standardDeviation: 0,
      wilcoxonPValue: 2 / 2 ** 6,
    });
    expect(pairedDifference(Array(6).fill(0))).toMatchObject({ mean: 0, wilcoxonPValue: 1 });
  });

  it('of shares of images are ranked by images: what a subtraction leaves in the seventeenth digit makes no rank', () => {
    // SciPy 1.17 of the whole numbers: 1; of the shares, where no two are equal any more: 0.25.
    const own = [247, 246, 249, 246, 246, 248, 249];
    const base = [247, 247, 248, 247, 247, 248, 248];
    const images = own.map((right, index) => right - (base[index] ?? 0));
    const shares = own.map((right, index) => right / 300 - (base[index] ?? 0) / 300);
    expect(signedRankTest(images)).toBe(1);
    expect(signedRankTest(shares)).toBe(1);
  });

  it('never give anything but numbers, between 0 and 1 where they are probabilities, and the same mirrored', () => {
    const differences = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1, maxLength: 32 });
    fc.assert(
      fc.property(differences, (whole) => {
        const values = whole.map((value) => value / 1000);
        const found = pairedDifference(values);
        const mirrored = pairedDifference(values.map((value) => -value));
        const numbers = [
          found?.mean,
          found?.confidence?.low,
          found?.confidence?.high,
          found?.pValue,
          found?.wilcoxonPValue,
        ];
        for (const number of numbers) expect(number === undefined || Number.isFinite(number)).toBe(true);
        for (const p of [found?.pValue ?? 1, found?.wilcoxonPValue ?? 1]) expect(p >= 0 && p <= 1).toBe(true);
        expect(mirrored?.wilcoxonPValue).toEqual(found?.wilcoxonPValue);
      }),
    );
  });
});

describe('a family of tests', () => {
  it('is corrected as by statsmodels', () => {
    for (const { pValues, adjusted } of reference.holm) expect(holm(pValues)).toEqual(adjusted.map(near));
    expect(holm([])).toEqual([]);
  });
});
