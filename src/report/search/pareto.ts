import { formatAccuracy, formatCount, formatDuration } from '../../results/format.ts';
import type { Known } from '../../results/trials.ts';
import { axisAround } from '../charts/axis.ts';
import { dots } from '../charts/dots.ts';
import { chartFrame, plotArea, round } from '../charts/frame.ts';
import { mark } from '../charts/mark.ts';
import { durations, shortCount, shortDuration } from '../charts/steps.ts';
import { type Html, html } from '../html.ts';
import type { Style } from '../series.ts';
import { accuracyAxis } from './accuracy-axis.ts';

/** A trial, and what it cost. */
export interface Priced {
  readonly trial: Known;
  readonly style: Style;
  readonly cost: number;
}

/** Those that nothing cheaper or as cheap is as good as, the cheapest first. */
export function paretoFront<
  T extends { readonly trial: Pick<Known, 'validationAccuracy'>; readonly cost: number },
>(all: readonly T[]): readonly T[] {
  let best = -1;
  return all
    .toSorted((a, b) => a.cost - b.cost || b.trial.validationAccuracy - a.trial.validationAccuracy)
    .filter(({ trial }) => {
      const isOn = trial.validationAccuracy > best;
      if (isOn) best = trial.validationAccuracy;
      return isOn;
    });
}

/** Accuracy against the size of the network; undefined where all have the same, as then there is nothing to weigh. */
export function sizeFront(id: string, all: readonly Priced[]): Html | undefined {
  if (new Set(all.map(({ cost }) => cost)).size < 2) return undefined;
  return frontChart(id, 'Validation accuracy against parameters of the network', all, {
    label: 'parameters, logarithmic',
    format: formatCount,
    formatTick: shortCount,
    between: 9,
  });
}

/** Accuracy against the time that a trial was trained. */
export function timeFront(id: string, all: readonly Priced[]): Html | undefined {
  const timed = all.filter(({ cost }) => cost > 0);
  if (timed.length === 0) return undefined;
  return frontChart(id, 'Validation accuracy against training time', timed, {
    label: 'training time of a trial, logarithmic',
    format: formatDuration,
    formatTick: shortDuration,
    steps: durations,
  });
}

interface Cost {
  readonly label: string;
  readonly format: (value: number) => string;
  readonly formatTick: (value: number) => string;
  readonly steps?: readonly number[];
  /** Room between techniques of one cost, which stand side by side. */
  readonly between?: number;
}

function frontChart(id: string, title: string, all: readonly Priced[], cost: Cost): Html {
  const { formatTick, format, between = 0, ...options } = cost;
  const costs = all.map((priced) => priced.cost);
  const x = axisAround(costs, { ...options, format: formatTick, range: plotArea.x, log: true, margin: 24 });
  const y = accuracyAxis(all.map(({ trial }) => trial));
  const front = paretoFront(all);
  const styles = [...new Set(all.map(({ style }) => style))];
  const aside = (style: Style) => (styles.indexOf(style) - (styles.length - 1) / 2) * between;
  const place = ({ trial, cost, style }: Priced) =>
    [round(x.scale(cost) + aside(style)), round(y.place(trial.validationAccuracy))] as const;
  const [, right] = plotArea.x;
  const steps = front.map((priced, index) => {
    const [at, height] = place(priced);
    return index === 0 ? `M${at},${height}` : `H${at}V${height}`;
  });
  const clouds = [...Map.groupBy(all, ({ style }) => style)].map(([style, members]) =>
    dots(members.map(place), style.color, 5),
  );
  const name = ({ trial, cost }: Priced) =>
    `${trial.study} #${trial.number}: ${formatAccuracy({ mean: trial.validationAccuracy })}, ${format(cost)}`;
  const marks = front.map(
    (priced) => html`<g><title>${name(priced)}</title>${mark(priced.style, ...place(priced))}</g>`,
  );
  return chartFrame(
    { id, title, description: `On the Pareto front, the cheapest first: ${front.map(name).join('; ')}.` },
    x,
    y,
    [
      clouds,
      html`<path d="${steps.join('')}H${right}" fill="none" stroke="#1a1a1a" stroke-width="1.4"/>`,
      marks,
    ],
  );
}
