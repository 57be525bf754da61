import { formatPercent } from '../../results/format.ts';
import type { Known } from '../../results/trials.ts';
import { type Axis, axisAround } from '../charts/axis.ts';
import { plotArea } from '../charts/frame.ts';

/** From the accuracies of a study to places in its charts, which all have the same axis. */
export interface AccuracyAxis extends Axis {
  /** What lies below the axis stands on its end. */
  readonly place: (accuracy: number) => number;
  /** The least accuracy that has a place of its own; undefined where all have. */
  readonly from: number | undefined;
}

/** How many times farther below the median than the best is above it a trial may lie and still be told from worse ones. */
const farthest = 3;

/**
 * An axis on which good trials can be told apart: where a few are far worse than most, it does not reach down to them.
 *
 * @param range of the chart, from the least to the greatest accuracy
 */
export function accuracyAxis(
  known: readonly Known[],
  range: readonly [number, number] = plotArea.y,
): AccuracyAxis {
  const sorted = known.map(({ validationAccuracy }) => validationAccuracy).sort((a, b) => a - b);
  const [least = 0, median = 0, most = 0] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  const low = median - farthest * Math.max(0.02, most - median);
  const isCut = sorted.length > 3 && least < low;
  const axis = axisAround([isCut ? low : least, most], { label: '', format: formatPercent, range });
  const [end = 0] = axis.scale.domain();
  return {
    ...axis,
    place: (accuracy) => axis.scale(Math.max(end, accuracy)),
    from: isCut ? end : undefined,
  };
}
