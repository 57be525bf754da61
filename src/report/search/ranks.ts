import { bestTenth } from '../../results/importance.ts';
import { bestFirst, counts, type Known, type Trial } from '../../results/trials.ts';
import { dots } from '../charts/dots.ts';
import { mark } from '../charts/mark.ts';
import { type Html, html } from '../html.ts';

/** The trials of a study as all of its charts show them. */
export interface Ranks {
  readonly best: Known | undefined;
  /** What else is in the best tenth. */
  readonly tenth: readonly Known[];
  readonly others: readonly Known[];
  /** How many of the others are not drawn. */
  readonly left: number;
}

/** More than these are a cloud: beyond, so many of those that are not among the best are left out. */
const mostDrawn = 1000;

export const bestStyle = { color: '#d55e00', dash: 'none', mark: 'star' } as const;
export const tenthColor = '#0072b2';
export const othersColor = '#8c8c8c';

export function ranksOf(trials: readonly Trial[]): Ranks {
  const known = bestFirst(trials).filter(counts);
  const [best] = known;
  const top = new Set(bestTenth(known));
  const others = known.filter((trial) => !top.has(trial)).toSorted((a, b) => a.number - b.number);
  const every = Math.max(1, Math.ceil(others.length / Math.max(1, mostDrawn - top.size)));
  const drawn = others.filter((_, index) => index % every === 0);
  return {
    best,
    tenth: [...top].filter((trial) => trial !== best),
    others: drawn,
    left: others.length - drawn.length,
  };
}

/** Every trial as a dot, and the best as a star on top of them. */
export function rankedDots({ best, tenth, others }: Ranks, place: (trial: Known) => Place | undefined): Html {
  const placed = (of: readonly Known[]) =>
    of.flatMap((trial) => {
      const found = place(trial);
      return found === undefined ? [] : [found];
    });
  const [at] = placed(best === undefined ? [] : [best]);
  const star = at && best && html`<g><title>#${best.number}</title>${mark(bestStyle, ...at)}</g>`;
  return html`${dots(placed(others), othersColor, 5)}${dots(placed(tenth), tenthColor, 6.5)}${star}`;
}

export type Place = readonly [x: number, y: number];

/** What stars, blue and grey stand for. */
export function ranksLegend({ best, tenth }: Ranks): Html {
  const dot = (color: string, size: number) =>
    html`<svg class="swatch" viewBox="0 0 44 16" aria-hidden="true">${dots([[22, 8]], color, size)}</svg>`;
  const star = html`<svg class="swatch" viewBox="0 0 44 16" aria-hidden="true">${mark(bestStyle, 22, 8)}</svg>`;
  return html`<ul class="legend">${best && html`<li>${star}the best, #${best.number}</li>`}${
    tenth.length > 0 ? html`<li>${dot(tenthColor, 6.5)}the best tenth</li>` : undefined
  }<li>${dot(othersColor, 5)}others</li></ul>
`;
}
