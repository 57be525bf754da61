import { type Html, html } from '../html.ts';
import type { Style } from '../series.ts';
import { axisAround, extent } from './axis.ts';
import { type ChartText, chartFrame, plotArea, round } from './frame.ts';

export interface Curve {
  /** Told where the curve is pointed at. */
  readonly name: string;
  readonly style: Style;
  readonly points: readonly (readonly [epoch: number, value: number])[];
}

export interface CurvesOptions {
  readonly format: (value: number) => string;
  /** Logarithmic where values differ by more than this factor. */
  readonly logBeyond?: number;
}

/** More points than this are narrower than a line is wide. */
const mostPoints = 400;

/** Curves over the epochs; values that are no finite number are left out. */
export function curvesChart(text: ChartText, curves: readonly Curve[], options: CurvesOptions): Html {
  const lines = curves.map((curve) => ({ ...curve, points: thinned(curve.points) }));
  const all = lines.flatMap(({ points }) => points);
  const values = all.map(([, value]) => value);
  const x = axisAround([1, ...all.map(([epoch]) => epoch)], {
    label: 'epoch',
    format: (value) => (Number.isInteger(value) ? String(value) : ''),
    range: plotArea.x,
    exact: true,
    count: 6,
  });
  const [least, greatest] = extent(values);
  // A loss of 0 has no place on a logarithmic axis.
  const log = least > 0 && greatest / least > (options.logBeyond ?? Infinity);
  const y = axisAround(values, { label: '', format: options.format, range: plotArea.y, log });
  const wholeEpochs = { ...x, ticks: x.ticks.filter((tick) => tick.text !== '') };
  const place = ([epoch, value]: readonly [number, number]) =>
    [round(x.scale(epoch)), round(y.scale(value))] as const;
  const drawn = lines.map(({ name, style, points }) => {
    const path = points.map((point, index) => `${index === 0 ? 'M' : 'L'}${place(point).join(',')}`).join('');
    const last = points.at(-1);
    if (last === undefined) return undefined;
    const [cx, cy] = place(last);
    return html`<g><title>${name}</title><path d="${path}" fill="none" stroke="${style.color}" stroke-width="1.8" stroke-linejoin="round" stroke-dasharray="${style.dash}"/><circle cx="${cx}" cy="${cy}" r="2.6" fill="${style.color}"/></g>
`;
  });
  const title = log ? `${text.title}, logarithmic` : text.title;
  return chartFrame({ ...text, title }, wholeEpochs, y, drawn);
}

/** Every so many points, and the last. */
function thinned(points: Curve['points']): Curve['points'] {
  const usable = points.filter(([, value]) => Number.isFinite(value));
  const step = Math.ceil(usable.length / mostPoints);
  return usable.filter((_, index) => index % step === 0 || index === usable.length - 1);
}
