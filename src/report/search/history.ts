import { formatAccuracy } from '../../results/format.ts';
import type { Known } from '../../results/trials.ts';
import { axisAround } from '../charts/axis.ts';
import { chartFrame, plotArea, round } from '../charts/frame.ts';
import { type Html, html } from '../html.ts';
import { bestStyle, othersColor, rankedDots } from './ranks.ts';
import type { Study } from './study.ts';

/** Every trial by its number, and the best so far. */
export function historyChart({ id, name, trials, known, ranks, accuracy }: Study): Html {
  const numbers = trials.map(({ number }) => number);
  const x = axisAround([0, ...numbers], {
    label: 'trial',
    format: (value) => (Number.isInteger(value) ? String(value) : ''),
    range: plotArea.x,
  });
  const rises = risesOf(known);
  const [, right] = plotArea.x;
  const steps = rises.map(({ number, validationAccuracy }, index) => {
    const [at, height] = [round(x.scale(number)), round(accuracy.place(validationAccuracy))];
    return index === 0 ? `M${at},${height}` : `H${at}V${height}`;
  });
  const last = Math.max(0, ...numbers);
  const line = html`<path d="${steps.join('')}H${round(Math.min(right, x.scale(last)))}" fill="none" stroke="${bestStyle.color}" stroke-width="1.8"/>`;
  const [bottom] = plotArea.y;
  const crosses = trials
    .filter(({ phase }) => phase === 'Failed')
    .map(({ number }) => `M${round(x.scale(number)) - 3},${bottom - 10}l6,6m0,-6l-6,6`);
  const failed =
    crosses.length > 0 &&
    html`<g><title>failed</title><path d="${crosses.join('')}" fill="none" stroke="${othersColor}" stroke-width="1.8"/></g>`;
  return chartFrame(
    {
      id: `${id}-history`,
      title: 'Validation accuracy of every trial, and the best so far',
      description: `${name}: the best so far rises ${rises.map(({ number, validationAccuracy }) => `to ${formatAccuracy({ mean: validationAccuracy })} with #${number}`).join(', ')}.${crosses.length > 0 ? ` Crosses at the bottom: ${crosses.length} failed.` : ''}`,
    },
    { ...x, ticks: x.ticks.filter(({ text }) => text !== '') },
    accuracy,
    [
      rises.length > 0 ? line : undefined,
      rankedDots(ranks, ({ number, validationAccuracy }) => [
        x.scale(number),
        accuracy.place(validationAccuracy),
      ]),
      failed || undefined,
    ],
  );
}

/** Those better than all before. */
export function risesOf(known: readonly Known[]): readonly Known[] {
  let best = -1;
  return known
    .toSorted((a, b) => a.number - b.number)
    .filter(({ validationAccuracy }) => {
      const rises = validationAccuracy > best;
      if (rises) best = validationAccuracy;
      return rises;
    });
}
