import { axisAround } from '../charts/axis.ts';
import { chartFrame, plotArea, round } from '../charts/frame.ts';
import { type Html, html } from '../html.ts';
import { tenthColor } from './ranks.ts';
import type { Study } from './study.ts';

/** How many trials came to which epoch. */
export function survivorsChart(study: Study): Html {
  const { id, name, trials } = study;
  const epochs = Math.max(...trials.map(({ epochsInAll }) => epochsInAll));
  const x = axisAround([0, epochs], {
    label: 'epoch',
    format: (value) => (Number.isInteger(value) ? String(value) : ''),
    range: plotArea.x,
    exact: true,
    count: 6,
  });
  const y = axisAround([0, trials.length], {
    label: '',
    format: (value) => (Number.isInteger(value) ? String(value) : ''),
    range: plotArea.y,
  });
  const ends = [...new Set(trials.map((trial) => trial.epochs))].sort((a, b) => a - b);
  const reached = (epoch: number) => trials.filter((trial) => trial.epochs >= epoch).length;
  const [left] = plotArea.x;
  const steps = ends.map((epoch) => `V${round(y.scale(reached(epoch)))}H${round(x.scale(epoch))}`);
  const bottom = round(y.scale(0));
  const labels = rungsOf(study).map(({ epoch, reached }) => {
    const [at, height] = [round(x.scale(epoch)), round(y.scale(reached))];
    const isLast = epoch === epochs;
    return html`<text class="halo" x="${isLast ? at : at + 8}" y="${isLast ? height - 8 : height}" dy="${isLast ? 0 : '0.35em'}" text-anchor="${isLast ? 'end' : 'start'}">${reached}</text><circle cx="${at}" cy="${height}" r="3.4" fill="${tenthColor}"/>`;
  });
  return chartFrame(
    {
      id: `${id}-survivors`,
      title: 'Trials that came to an epoch',
      description: `${name}: ${rungsText(study)}.`,
    },
    { ...x, ticks: x.ticks.filter(({ text }) => text !== '') },
    { ...y, ticks: y.ticks.filter(({ text }) => text !== '') },
    [
      html`<path d="M${left},${bottom}${steps.join('')}V${bottom}Z" fill="${tenthColor}" fill-opacity="0.14"/><path d="M${left},${round(y.scale(trials.length))}${steps.join('')}V${bottom}" fill="none" stroke="${tenthColor}" stroke-width="1.8"/>`,
      labels,
    ],
  );
}

interface Rung {
  readonly epoch: number;
  readonly reached: number;
}

/** Where trials were paused, and the end. */
function rungsOf({ trials }: Study): readonly Rung[] {
  const epochs = [
    ...trials.flatMap(({ rungs }) => rungs.map(({ epoch }) => epoch)),
    ...trials.flatMap((trial) => (trial.phase === 'Succeeded' ? trial.epochs : [])),
  ];
  return [...new Set(epochs)]
    .sort((a, b) => a - b)
    .map((epoch) => ({ epoch, reached: trials.filter((trial) => trial.epochs >= epoch).length }));
}

/** `38 of 40 trials came to epoch 3, 12 to epoch 9, 4 to epoch 27` */
export function rungsText(study: Study): string {
  const [first, ...others] = rungsOf(study);
  if (first === undefined) return `none of ${study.trials.length} trials came to an end or was paused`;
  return [
    `${first.reached} of ${study.trials.length} trials came to epoch ${first.epoch}`,
    ...others.map(({ epoch, reached }) => `${reached} to epoch ${epoch}`),
  ].join(', ');
}
