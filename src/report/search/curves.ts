import type { Known } from '../../results/trials.ts';
import { axisAround } from '../charts/axis.ts';
import { dots } from '../charts/dots.ts';
import { chartFrame, plotArea, round } from '../charts/frame.ts';
import { type Html, html } from '../html.ts';
import { bestStyle, othersColor, tenthColor } from './ranks.ts';
import type { Study } from './study.ts';

/** Points of a curve: as many as can be told from one another beside hundreds of others. */
const mostPoints = 40;

type Point = readonly [epoch: number, best: number];

/** The best validation accuracy so far of every trial over its epochs. */
export function trialCurves(study: Study): Html {
  const { id, name, trials, ranks, accuracy } = study;
  const x = axisAround([1, ...trials.map(({ epochsInAll }) => epochsInAll)], {
    label: 'epoch',
    format: (value) => (Number.isInteger(value) ? String(value) : ''),
    range: plotArea.x,
    exact: true,
    count: 6,
  });
  const place = ([epoch, best]: Point) => [x.scale(epoch), accuracy.place(best)] as const;
  const lines = (of: readonly Known[], color: string, width: number, opacity: number) => {
    const curves = of.map((trial) => pointsOf(study, trial).map(place));
    const path = curves
      .filter(({ length }) => length > 1)
      .flatMap((points) =>
        points.map(([at, height], index) => `${index === 0 ? 'M' : 'L'}${round(at)},${round(height)}`),
      )
      .join('');
    // A line of one point is none.
    const single = curves.filter(({ length }) => length === 1).flat();
    return html`${path === '' ? undefined : html`<path d="${path}" fill="none" stroke="${color}" stroke-width="${width}" stroke-opacity="${opacity}" stroke-linejoin="round"/>`}${dots(single, color, width + 3)}`;
  };
  const { best, tenth, others } = ranks;
  return chartFrame(
    {
      id: `${id}-curves`,
      title: 'Best validation accuracy so far, by epoch',
      description: `${name}: a line for each trial, as far as it was trained. ${best ? `That of the best, #${best.number}, is drawn thick.` : ''}`,
    },
    { ...x, ticks: x.ticks.filter(({ text }) => text !== '') },
    accuracy,
    [
      lines(others, othersColor, 1, 0.5),
      lines(tenth, tenthColor, 1.4, 0.85),
      lines(best ? [best] : [], bestStyle.color, 2.4, 1),
    ],
  );
}

/** By all that is known: the epochs on disk, or what the status has. */
function pointsOf({ historyOf }: Study, trial: Known): readonly Point[] {
  const records = historyOf(trial);
  const known = records.length > 0 ? records : trial.history;
  let best = 0;
  const points = known.map(({ epoch, validationAccuracy }) => {
    best = Math.max(best, validationAccuracy);
    return [epoch, best] as const;
  });
  const last = points.at(-1);
  const whole = last && last[0] < trial.epochs ? [...points, [trial.epochs, last[1]] as const] : points;
  const step = Math.ceil(whole.length / mostPoints);
  return whole.filter((_, index) => index % step === 0 || index === whole.length - 1);
}
