import { formatPercent } from '../../results/format.ts';
import { importances } from '../../results/importance.ts';
import { cut } from '../../text/cut.ts';
import { round } from '../charts/frame.ts';
import { type Html, html } from '../html.ts';
import { tenthColor } from './ranks.ts';
import type { Study } from './study.ts';

const width = 460;
const row = 26;
const [left, right] = [170, 410] as const;

/** Trials that reported it takes: a best tenth of more than one. */
export const fewest = 11;

/** How much each parameter decided whether a trial is in the best tenth; undefined where nothing can be said. */
export function importanceChart({ id, name, trials, known, parameters }: Study): Html | undefined {
  if (known.length < fewest) return undefined;
  const names = new Map(parameters.map(({ parameter, name }) => [parameter.name, name]));
  const shares = importances(
    parameters.map(({ parameter }) => parameter),
    trials,
  ).map(([path, share]) => ({ name: names.get(path) ?? path, share }));
  const [first] = shares;
  if (first === undefined || shares.length < 2) return undefined;
  const bars = shares.map(({ name, share }, index) => {
    const y = 8 + index * row;
    const end = left + ((right - left) * share) / first.share;
    return html`<text x="${left - 8}" y="${y + row / 2}" dy="0.35em" text-anchor="end">${cut(name, 22)}</text><rect x="${left}" y="${y + 4}" width="${round(end - left)}" height="${row - 8}" fill="${tenthColor}"/><text x="${round(end + 6)}" y="${y + row / 2}" dy="0.35em">${formatPercent(share)}</text>`;
  });
  const title = 'Importance';
  const description = `${name}: ${shares.map(({ name, share }) => `${name} ${formatPercent(share)}`).join(', ')}.`;
  return html`<figure class="chart">
<figcaption>${title}</figcaption>
<svg viewBox="0 0 ${width} ${16 + row * shares.length}" role="img" aria-labelledby="${id}-importance-title ${id}-importance-description">
<title id="${id}-importance-title">${title}</title>
<desc id="${id}-importance-description">${description}</desc>
<g>${bars}<line class="axis" x1="${left}" x2="${left}" y1="8" y2="${8 + row * shares.length}"/></g>
</svg>
</figure>
`;
}

/** What the numbers are, in words. */
export const importanceRule = `Importance: how differently the best tenth of the trials and all of them are spread over the values of a
parameter, as a share of what all parameters come to (PED-ANOVA: Watanabe et al. 2023, arXiv 2304.10255; the rule and its
constants are those of Optuna 5). It tells what decided in this range, among these trials; with fewer than 50 trials it
is a hint, as the best tenth is fewer than five. One that not every trial sets is weighed by those that do.`;
