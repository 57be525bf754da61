import { formatValue } from '../../results/swept.ts';
import type { Known } from '../../results/trials.ts';
import { round } from '../charts/frame.ts';
import { type Html, html } from '../html.ts';
import { accuracyAxis } from './accuracy-axis.ts';
import { parameterAxis } from './parameter-axis.ts';
import { bestStyle, othersColor, tenthColor } from './ranks.ts';
import type { Study } from './study.ts';

/** Of the drawing, and what it has more where trials pass below an axis. */
const [height, below] = [284, 46] as const;
const vertical = [260, 50] as const;
/** Where trials pass that do not set a parameter. */
const without = 296;
const side = 88;
const leastWidth = 1072;
const between = 118;

interface Line {
  readonly name: string;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  readonly place: (trial: Known) => number;
  readonly isMissing: boolean;
}

/** Every trial as a line through all that it sets to what it came to. */
export function parallelChart({ id, name, known, ranks, parameters }: Study): Html {
  const axes: readonly Line[] = [
    ...parameters.map(({ parameter, name }) => {
      const axis = parameterAxis(parameter, name, vertical);
      const setBy = ({ values }: Known) => values[parameter.name];
      return {
        name,
        ticks: axis.ticks.map(({ value, text }) => ({ at: axis.scale(value), text })),
        place: (trial: Known) => {
          const value = setBy(trial);
          return value === undefined ? without : axis.place(value);
        },
        isMissing: known.some((trial) => setBy(trial) === undefined),
      };
    }),
    accuracyLine(known),
  ];
  const width = Math.max(leastWidth, 2 * side + (axes.length - 1) * between);
  const step = (width - 2 * side) / Math.max(1, axes.length - 1);
  const at = (index: number) => round(side + index * step);
  const path = (trial: Known) =>
    axes.map(({ place }, index) => `${index === 0 ? 'M' : 'L'}${at(index)},${round(place(trial))}`).join('');
  const lines = (of: readonly Known[], color: string, thickness: number, opacity: number) =>
    of.length === 0
      ? undefined
      : html`<path d="${of.map(path).join('')}" fill="none" stroke="${color}" stroke-width="${thickness}" stroke-opacity="${opacity}" stroke-linejoin="round"/>`;
  const { best, tenth, others } = ranks;
  const title = 'Every trial as a line through its values';
  const description = best
    ? `${name}: ${parameters.length} parameters and validation accuracy. The best, #${best.number}, has ${parameters
        .map(({ parameter, name }) => {
          const value = best.values[parameter.name];
          return value === undefined ? `no ${name}` : `${name} ${formatValue(value)}`;
        })
        .join(', ')}.`
    : `${name}: no trial has reported yet.`;
  return html`<figure class="chart wide">
<figcaption>${title}</figcaption>
<div class="scroll" role="region" aria-label="${title}, ${name}" tabindex="0"><svg style="--least: ${Math.round(0.8 * width)}px" viewBox="0 0 ${width} ${height + (axes.some(({ isMissing }) => isMissing) ? below : 0)}" role="img" aria-labelledby="${id}-parallel-title ${id}-parallel-description">
<title id="${id}-parallel-title">${title}</title>
<desc id="${id}-parallel-description">${description}</desc>
<g>${lines(others, othersColor, known.length > 200 ? 0.4 : 1, 0.45)}${lines(tenth, tenthColor, tenth.length > 40 ? 0.7 : 1.6, 0.85)}${lines(best ? [best] : [], bestStyle.color, 2.6, 1)}</g>
<g class="axes">${axes.map((axis, index) => axisAt(axis, at(index), index))}</g>
</svg></div>
</figure>
`;
}

/** Names of neighbours stand at two heights, so that long ones do not meet. */
function axisAt({ name, ticks, isMissing }: Line, x: number, index: number): Html {
  const marks = ticks.map(
    ({ at, text }) =>
      html`<line class="tick" x1="${x - 4}" x2="${x + 4}" y1="${round(at)}" y2="${round(at)}"/><text class="halo" x="${x + 7}" y="${round(at)}" dy="0.35em">${text}</text>`,
  );
  const missing = isMissing
    ? html`<circle cx="${x}" cy="${without}" r="3" fill="#fff" stroke="#767676"/><text class="halo" x="${x}" y="${without + 20}" text-anchor="middle">without</text>`
    : undefined;
  return html`<line class="axis" x1="${x}" x2="${x}" y1="${vertical[1]}" y2="${vertical[0]}"/>${marks}${missing}<text class="name" x="${x}" y="${index % 2 === 0 ? 34 : 16}" text-anchor="middle">${name}</text>`;
}

function accuracyLine(known: readonly Known[]): Line {
  const axis = accuracyAxis(known, vertical);
  return {
    name: 'validation accuracy',
    ticks: axis.ticks.map(({ value, text }) => ({ at: axis.scale(value), text })),
    place: ({ validationAccuracy }) => axis.place(validationAccuracy),
    isMissing: false,
  };
}
