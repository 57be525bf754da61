import type { Spread } from '../../plan/spread.ts';
import { formatAccuracy, formatPercent } from '../../results/format.ts';
import { type Html, html } from '../html.ts';
import type { Style } from '../series.ts';
import { axisAround } from './axis.ts';
import { type ChartText, chartFrame, plotArea, round } from './frame.ts';
import { mark } from './mark.ts';

export interface Point {
  /** The name of a group is written once: above the points of teachers, below those of students. */
  readonly group: string;
  readonly isTeacher: boolean;
  readonly name: string;
  readonly style: Style;
  readonly x: number;
  /** Accuracy, with a bar of one deviation up and down. */
  readonly y: Spread;
}

export interface ScatterOptions {
  readonly label: string;
  readonly format: (value: number) => string;
  /** Of the ticks, where it is another; and where they may be. */
  readonly formatTick?: (value: number) => string;
  readonly steps?: readonly number[];
}

/** Between points that would lie on one another. */
const step = 15;
const room = 0.18;

/** Test accuracy against what it costs, on a logarithmic axis. Points of the same cost stand side by side. */
export function accuracyAgainst(text: ChartText, points: readonly Point[], options: ScatterOptions): Html {
  const crowd = Math.max(...points.map((point) => points.filter(({ x }) => x === point.x).length));
  const x = axisAround(
    points.map((point) => point.x),
    {
      ...options,
      format: options.formatTick ?? options.format,
      range: plotArea.x,
      log: true,
      margin: 24 + Math.min(100, ((crowd - 1) / 2) * step),
    },
  );
  const bounds = points.flatMap(({ y: { mean, standardDeviation = 0 } }) => [
    mean - standardDeviation,
    mean + standardDeviation,
  ]);
  const span = Math.max(0.02, Math.max(...bounds) - Math.min(...bounds));
  const [lowest, highest] = [Math.min(...bounds) - room * span, Math.max(...bounds) + room * span];
  const y = axisAround([Math.max(0, lowest), Math.min(1, highest)], {
    label: 'test accuracy',
    format: formatPercent,
    range: plotArea.y,
  });
  const placed = points.map((point) => {
    const same = points.filter((other) => other.x === point.x);
    const aside = (same.indexOf(point) - (same.length - 1) / 2) * step;
    return { ...point, at: round(x.scale(point.x) + aside), height: round(y.scale(point.y.mean)) };
  });
  const marks = placed.map((point) => {
    const { mean, standardDeviation = 0 } = point.y;
    const [low, high] = [mean - standardDeviation, mean + standardDeviation].map((end) =>
      round(y.scale(end)),
    );
    return html`<g><title>${point.name}: ${formatAccuracy(point.y)}, ${options.format(point.x)}</title><path class="bar" d="M${point.at},${low ?? 0}V${high ?? 0}" stroke="${point.style.color}"/>${mark(point.style, point.at, point.height)}</g>
`;
  });
  const groups = [...Map.groupBy(placed, ({ group }) => group).values()].map((members) =>
    groupName(members, y.scale),
  );
  return chartFrame(text, x, y, [...marks, ...groups]);
}

type Placed = Point & { readonly at: number };

function groupName(members: readonly Placed[], scale: (value: number) => number): Html | undefined {
  const [first] = members;
  if (first === undefined) return undefined;
  const middle = members.reduce((sum, { at }) => sum + at, 0) / members.length;
  const ends = members.flatMap(({ y: { mean, standardDeviation = 0 } }) => [
    scale(mean - standardDeviation),
    scale(mean + standardDeviation),
  ]);
  const height = first.isTeacher ? Math.min(...ends) - 12 : Math.max(...ends) + 21;
  return html`<text class="halo" x="${round(middle)}" y="${round(height)}" text-anchor="middle">${first.group}</text>`;
}
