/** What differences between pairs, one for each seed, allow to say: an interval, and how likely chance alone is. */
import jstat from 'jstat';
import { spread } from '../plan/spread.ts';

export type PairedDifference = {
  readonly mean: number;
  readonly standardDeviation?: number | undefined;
  /** 95 % confidence interval of the mean, by Student's t; of two pairs or more that are not all equal. */
  readonly confidence?: { readonly low: number; readonly high: number } | undefined;
  /** Of the paired t-test, two-sided: how often chance alone gives a mean as far from 0. */
  readonly pValue?: number | undefined;
  /** Of Wilcoxon's signed-rank test, two-sided, exact; from six pairs on. */
  readonly wilcoxonPValue?: number | undefined;
};

/** The fewest pairs with which the signed-rank test can come below 0.05. */
const fewestRanked = 6;

/**
 * Student 1908; Wilcoxon 1945.
 *
 * Pairs that are all equal have no interval: nothing is known of their deviation.
 *
 * @param differences one for each pair; undefined where there are none.
 */
export function pairedDifference(differences: readonly number[]): PairedDifference | undefined {
  const all = spread(differences);
  if (all === undefined) return undefined;
  const { mean, standardDeviation } = all;
  const ranked = differences.length < fewestRanked ? {} : { wilcoxonPValue: signedRankTest(differences) };
  if (standardDeviation === undefined) return { mean };
  // Sums of decimal fractions leave deviations of 1e-17 where there are none.
  if (standardDeviation < 1e-12) return { mean, standardDeviation: 0, ...ranked };

  const error = standardDeviation / Math.sqrt(differences.length);
  const freedom = differences.length - 1;
  const reach = jstat.studentt.inv(0.975, freedom) * error;
  return {
    mean,
    standardDeviation,
    confidence: { low: mean - reach, high: mean + reach },
    // Of a mean of 0 it comes to 1 and a rounding error.
    pValue: Math.min(1, 2 * jstat.studentt.cdf(-Math.abs(mean / error), freedom)),
    ...ranked,
  };
}

/**
 * The two-sided p-value of Wilcoxon's signed-rank test, by counting: of all ways to give the ranks signs, the share
 * whose sum is as far from its mean. Differences of 0 are left out, equal ones share their mean rank: such as are equal
 * but for rounding, too, as 7/300 − 4/300 and 3/300 are.
 */
export function signedRankTest(given: readonly number[]): number {
  const differences = given.map((difference) => Number(difference.toFixed(12)));
  const sizes = differences.filter((difference) => difference !== 0).map(Math.abs);
  if (sizes.length === 0) return 1;
  const sorted = sizes.toSorted((a, b) => a - b);
  // Twice the rank, so that it is whole: (first + last place among equals).
  const rankOf = (size: number) => sorted.indexOf(size) + sorted.lastIndexOf(size) + 2;
  const ranks = sizes.map(rankOf);
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const positive = differences
    .filter((difference) => difference > 0)
    .reduce((sum, difference) => sum + rankOf(difference), 0);

  let ways = [1];
  for (const rank of ranks) {
    const next = [...ways, ...Array<number>(rank).fill(0)];
    for (const [sum, count] of ways.entries()) next[sum + rank] = (next[sum + rank] ?? 0) + count;
    ways = next;
  }
  const distance = Math.abs(2 * positive - total);
  const asFar = ways.reduce(
    (sum, count, at) => (Math.abs(2 * at - total) >= distance ? sum + count : sum),
    0,
  );
  return asFar / 2 ** ranks.length;
}

/** P-values of a family of tests as they are once it is counted how many there are (Holm 1979), in their order. */
export function holm(pValues: readonly number[]): readonly number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => (pValues[a] ?? 1) - (pValues[b] ?? 1));
  const adjusted = Array<number>(pValues.length).fill(1);
  let highest = 0;
  for (const [place, index] of order.entries()) {
    highest = Math.max(highest, Math.min(1, (pValues.length - place) * (pValues[index] ?? 1)));
    adjusted[index] = highest;
  }
  return adjusted;
}
