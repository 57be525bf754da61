import type { Experiment } from '../../api/experiment.ts';
import type { Sweep } from '../../api/sweep.ts';
import { formatAccuracy, formatPercent } from '../../results/format.ts';
import { formatValue } from '../../results/swept.ts';
import { bestFirst, byStudy, counts, phasesText, type Trial, trialsOf } from '../../results/trials.ts';
import { type Html, html } from '../html.ts';
import type { ReportRun } from '../input.ts';
import { trialCurves } from '../search/curves.ts';
import { historyChart } from '../search/history.ts';
import { fewest, importanceChart, importanceRule } from '../search/importance.ts';
import { parallelChart } from '../search/parallel.ts';
import { type Priced, sizeFront, timeFront } from '../search/pareto.ts';
import { ranksLegend } from '../search/ranks.ts';
import { sliceCharts } from '../search/slices.ts';
import { type Study, studyOf } from '../search/study.ts';
import { rungsText, survivorsChart } from '../search/survivors.ts';
import type { Style } from '../series.ts';
import { type Column, table } from '../table.ts';
import { trainingSecondsOf } from './cost.ts';
import { legend } from './legend.ts';
import { shown } from './results.ts';

/** Trials of a study that stand in its table. */
const mostRows = 10;

/** Failed trials that are named, of one reason. */
const mostNamed = 10;

/** What the sweep tried, and what came of it; undefined before the first trial. */
export function searchSection(
  experiment: Experiment,
  runs: readonly ReportRun[],
  styleOf: (technique: string) => Style,
): Html | undefined {
  const { sweep, seeds } = experiment.spec;
  const byName = new Map(runs.map((run) => [run.run.metadata.name, run]));
  const trials = trialsOf(
    experiment,
    runs.map(({ run }) => run),
  );
  if (sweep === undefined || trials.length === 0) return undefined;
  const historyOf = ({ run }: Trial) => byName.get(run)?.history ?? [];
  const studies = byStudy(trials).map(([name, members], index) =>
    studyOf(name, `search-${index}`, members, sweep, historyOf),
  );
  const searchedWith = [
    ...new Set(runs.flatMap(({ run }) => (run.spec.trial ? [run.spec.parameters.seed] : []))),
  ];
  return html`<section aria-labelledby="search">
<h2 id="search">Search</h2>
<p>${algorithmText(sweep)} There is a study for each student and technique, over the parameters that
touch it. What is best is told by validation accuracy alone: the test images are not looked at. ${seedsText(searchedWith, seeds)}</p>
${table('The best configuration of each study, as the search saw it: one seed, the best of many', summaryColumns, studies)}
${studies.map(studyPart)}
${costPart(trials, studies, byName, styleOf)}
<p class="note">${studies.some(({ known }) => known.length >= fewest) ? importanceRule : `Importance is told from ${fewest} trials on.`}</p>
</section>
`;
}

const summaryColumns: readonly Column<Study>[] = [
  { title: 'Study', cell: ({ name }) => name },
  { title: 'Trials', align: 'right', cell: ({ trials }) => trials.length },
  { title: 'Best', align: 'right', cell: ({ ranks }) => (ranks.best ? `#${ranks.best.number}` : '–') },
  {
    title: 'Validation',
    align: 'right',
    cell: ({ ranks }) => shown(ranks.best, ({ validationAccuracy }) => accuracy(validationAccuracy)),
  },
  { title: 'Epochs', align: 'right', cell: ({ ranks }) => (ranks.best ? epochsOf(ranks.best) : '–') },
  { title: 'Trials by phase', cell: ({ trials }) => phasesText(trials) },
];

function studyPart(study: Study): Html {
  const { name, trials, known, ranks, accuracy: axis, parameters } = study;
  const notes = [
    trials.some(({ rungs }) => rungs.length > 0)
      ? 'Accuracy is the best of each trial, however far it came: those that went on had more epochs than those that did not.'
      : '',
    ranks.left > 0 ? `${ranks.left} of the others are not drawn.` : '',
    axis.from === undefined
      ? ''
      : `Trials below ${formatPercent(axis.from)} stand on the lower end of the charts.`,
  ].filter((note) => note !== '');
  const columns: readonly Column<Trial>[] = [
    { title: 'Trial', cell: ({ number }) => `#${number}` },
    {
      title: 'Validation',
      align: 'right',
      cell: ({ validationAccuracy }) => shown(validationAccuracy, accuracy),
    },
    { title: 'Epochs', align: 'right', cell: epochsOf },
    { title: 'Phase', cell: ({ phase }) => phase },
    ...parameters.map(({ parameter, name }) => ({
      title: name,
      align: 'right' as const,
      cell: ({ values }: Trial) => shown(values[parameter.name], formatValue),
    })),
  ];
  const rows = bestFirst(trials).slice(0, mostRows);
  const caption =
    rows.length < trials.length
      ? `${name}: the best ${rows.length} of ${trials.length} trials`
      : `${name}: all trials, the best first`;
  return html`<h3>${name}</h3>
<p>${rungsText(study)}. ${failedText(trials)}</p>
${known.length > 0 ? charts(study, notes) : undefined}
${table(caption, columns, rows)}
`;
}

function charts(study: Study, notes: readonly string[]): Html {
  return html`${ranksLegend(study.ranks)}
<div class="charts">${historyChart(study)}${survivorsChart(study)}${trialCurves(study)}${importanceChart(study)}</div>
${parallelChart(study)}
<div class="charts">${sliceCharts(study)}</div>
${notes.length > 0 ? html`<p class="note">${notes.join(' ')}</p>` : undefined}`;
}

/** What accuracy costs, over all studies: networks of different size, and time. */
function costPart(
  trials: readonly Trial[],
  studies: readonly Study[],
  byName: ReadonlyMap<string, ReportRun>,
  styleOf: (technique: string) => Style,
): Html | undefined {
  const known = trials.filter(counts);
  const techniqueOf = ({ study }: Trial) => study.slice(study.indexOf('.') + 1);
  const styles = new Map(known.map((trial) => [techniqueOf(trial), styleOf(techniqueOf(trial))]));
  const priced = (costOf: (trial: Trial) => number | undefined): readonly Priced[] =>
    known.flatMap((trial) => {
      const cost = costOf(trial);
      const style = styles.get(techniqueOf(trial));
      return cost === undefined || style === undefined ? [] : [{ trial, style, cost }];
    });
  const sizes = sizeFront(
    'search-sizes',
    priced(({ parameters }) => parameters),
  );
  const times = timeFront(
    'search-times',
    priced((trial) => {
      const run = byName.get(trial.run);
      return run && trainingSecondsOf(run);
    }),
  );
  if (sizes === undefined && times === undefined) return undefined;
  return html`<h3>What accuracy costs, over ${studies.length === 1 ? 'the study' : `${studies.length} studies`}</h3>
${legend([...styles.keys()], styleOf)}
<div class="charts">${sizes}${times}</div>
<p class="note">A dot is a trial. The line is the Pareto front: a mark on it is a trial that none that cost less, or as much, was
as good as. Training time of one that was paused: its epochs so far.</p>
`;
}

/** Which seeds chose, and which did not. */
export function seedsText(searched: readonly number[], seeds: readonly number[]): string {
  const others = seeds.filter((seed) => !searched.includes(seed));
  const chose = `${listed('Seed', searched)} chose`;
  if (others.length === 0) {
    return `${chose}, and there is no other: what is said of the chosen configurations is better than they are, by luck.`;
  }
  return `${chose}; ${listed('', others)} did not: the results of the main stage are of all of them.`;
}

function listed(word: string, seeds: readonly number[]): string {
  const sorted = seeds.toSorted((a, b) => a - b).map(String);
  const names =
    sorted.length > 1 ? `${sorted.slice(0, -1).join(', ')} and ${sorted.at(-1)}` : (sorted[0] ?? '');
  return word === '' ? names : `${word}${sorted.length > 1 ? 's' : ''} ${names}`;
}

function algorithmText({ algorithm, maxRuns, earlyStopping }: Sweep): string {
  const { grid, random, sobol, tpe, asha } = algorithm;
  const name = [
    grid && 'A grid',
    random && 'Random draws',
    sobol && 'A Sobol sequence',
    tpe && 'A tree-structured Parzen estimator (Bergstra et al. 2011)',
    asha &&
      `Asynchronous successive halving (ASHA, Li et al. 2020): after ${asha.minEpochs} ${asha.minEpochs === 1 ? 'epoch' : 'epochs'} one in ${asha.eta} trials is trained ${asha.eta} times longer, and so on`,
  ].find((text) => text !== undefined);
  const stopped = earlyStopping ? '; trials below the median of the others are stopped' : '';
  return `${name}, at most ${maxRuns} trials a study${stopped}.`;
}

function failedText(trials: readonly Trial[]): string {
  const failed = trials.filter(({ phase }) => phase === 'Failed');
  if (failed.length === 0) return '';
  const reasons = [...Map.groupBy(failed, ({ reason }) => reason ?? 'unknown')].map(([reason, members]) => {
    const named = members.slice(0, mostNamed).map(({ number }) => `#${number}`);
    const more = members.length - named.length;
    return `${reason}: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  });
  return `${failed.length} failed, and count for nothing: ${reasons.join('; ')}.`;
}

function epochsOf({ epochs, epochsInAll }: Trial): string {
  return `${epochs}/${epochsInAll}`;
}

function accuracy(mean: number): string {
  return formatAccuracy({ mean });
}
