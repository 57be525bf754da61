/** How alike two maps are, whatever their units. */
import { type Spread, spread } from '@destillml/core/plan/spread.ts';

/** Share of the pixels that count as those looked at. */
const topShare = 0.2;

/** Agreement of pairs of maps, over images. */
export interface Agreement {
  /** Spearman's rank correlation, −1 – 1; unrelated maps: 0. */
  readonly spearman: Spread;
  /** Share of the top 20 % of one map's pixels that are among those of the other; unrelated maps: 0.2. */
  readonly topOverlap: Spread;
  readonly images: number;
}

/**
 * Mean and standard deviation over images of the agreement of two networks' maps.
 *
 * @param pairs maps of the same image by two networks, at least one pair.
 */
export function agreement(pairs: readonly (readonly [ArrayLike<number>, ArrayLike<number>])[]): Agreement {
  const over = (measure: (a: ArrayLike<number>, b: ArrayLike<number>) => number) => {
    const found = spread(pairs.map(([a, b]) => measure(a, b)));
    if (found === undefined) throw new RangeError('no maps to compare');
    return found;
  };
  return { spearman: over(spearman), topOverlap: over(topOverlap), images: pairs.length };
}

/** Spearman's rank correlation: Pearson's of the ranks, equal values sharing their mean rank; 0 if a map is constant. */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const x = ranks(a);
  const y = ranks(b);
  // Ranks have the mean (n + 1) / 2 with ties and without.
  const middle = (x.length + 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (const [index, rank] of x.entries()) {
    const dx = rank - middle;
    const dy = (y[index] ?? 0) - middle;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0;
}

/**
 * Σ min(m_a, m_b) / k for the k = 20 % highest pixels of each map, 0 – 1. m is 1 for pixels among them, and where equal
 * values straddle the border (as in one superpixel) they share what room is left.
 */
export function topOverlap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const room = Math.max(1, Math.round(topShare * a.length));
  const first = membership(a, room);
  const second = membership(b, room);
  return first.reduce((sum, share, index) => sum + Math.min(share, second[index] ?? 0), 0) / room;
}

function membership(values: ArrayLike<number>, room: number): Float64Array {
  const sorted = Float64Array.from(values).sort().reverse();
  const border = sorted[room - 1] ?? 0;
  const above = sorted.findIndex((value) => value <= border);
  const tied = sorted.filter((value) => value === border).length;
  return Float64Array.from(values, (value) => {
    if (value === border) return (room - above) / tied;
    return value > border ? 1 : 0;
  });
}

/** Ranks from 1. */
function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, index) => index);
  order.sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const found = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    const value = values[order[start] ?? 0];
    let end = start;
    while (end < order.length && values[order[end] ?? 0] === value) end++;
    for (const index of order.slice(start, end)) found[index] = (start + 1 + end) / 2;
    start = end;
  }
  return found;
}
