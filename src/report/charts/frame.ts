import { type Content, type Html, html } from '../html.ts';
import type { Axis } from './axis.ts';

/** Sides of a chart in its own units; a page scales it. */
const chartSize = { width: 460, height: 300 } as const;
const margin = { top: 12, right: 16, bottom: 44, left: 58 } as const;

/** Where values are drawn: from left to right, and from bottom to top. */
export const plotArea = {
  x: [margin.left, chartSize.width - margin.right],
  y: [chartSize.height - margin.bottom, margin.top],
} as const satisfies Record<string, readonly [number, number]>;

export interface ChartText {
  /** Of all charts in the document, this one. */
  readonly id: string;
  readonly title: string;
  /** What one sees, in a sentence, for those who do not. */
  readonly description: string;
}

/** A chart as a figure with a heading: axes and grid around the marks. */
export function chartFrame({ id, title, description }: ChartText, x: Axis, y: Axis, marks: Content): Html {
  const [left, right] = plotArea.x;
  const [bottom] = plotArea.y;
  const rows = y.ticks.map(({ value, text }) => {
    const at = round(y.scale(value));
    return html`<line class="grid" x1="${left}" x2="${right}" y1="${at}" y2="${at}"/><text x="${left - 8}" y="${at}" dy="0.35em" text-anchor="end">${text}</text>`;
  });
  const columns = x.ticks.map(({ value, text }) => {
    const at = round(x.scale(value));
    return html`<line class="tick" x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 5}"/><text x="${at}" y="${bottom + 19}" text-anchor="middle">${text}</text>`;
  });
  const middle = (left + right) / 2;
  return html`<figure class="chart">
<figcaption>${title}</figcaption>
<svg viewBox="0 0 ${chartSize.width} ${chartSize.height}" role="img" aria-labelledby="${id}-title ${id}-description">
<title id="${id}-title">${title}</title>
<desc id="${id}-description">${description}</desc>
<g class="axes">${rows}${columns}<line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>
<text class="label" x="${middle}" y="${chartSize.height - 4}" text-anchor="middle">${x.label}</text></g>
<g>${marks}</g>
</svg>
</figure>
`;
}

/** As exact as a screen is. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
