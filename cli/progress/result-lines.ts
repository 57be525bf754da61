import type { RunResult } from '@destillml/core/api/run.ts';
import { formatAccuracy, formatCount, formatDuration } from '@destillml/core/results/format.ts';
import { formatLoss } from './lines.ts';

/** The metrics of one trained network, one a line. */
export function resultLines(result: RunResult): string {
  return namedLines([
    ['test accuracy', percent(result.testAccuracy)],
    ['test accuracy top-5', percent(result.testAccuracyTop5)],
    ['test loss', formatLoss(result.testLoss)],
    [
      'validation accuracy',
      `${percent(result.validationAccuracy)} (epoch ${result.bestEpoch} of ${result.epochs})`,
    ],
    ['parameters', formatCount(result.parameters)],
    ['FLOPs per image', formatCount(result.flops)],
    ['training time', formatDuration(result.trainingSeconds)],
    ['images per second', String(Math.round(result.imagesPerSecond))],
  ]);
}

/** `name: value` lines with the values below each other. */
export function namedLines(pairs: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
}

export function percent(share: number): string {
  return formatAccuracy({ mean: share });
}
