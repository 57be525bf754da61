import type { Experiment } from '../../api/experiment.ts';
import type { EpochRecord, RunParameters } from '../../api/run.ts';
import { formatPercent, formatShare } from '../../results/format.ts';
import { techniqueOf } from '../../results/technique.ts';
import { type Curve, curvesChart } from '../charts/curves.ts';
import { type Html, html } from '../html.ts';
import type { ReportRun } from '../input.ts';
import type { Style } from '../series.ts';
import { legend } from './legend.ts';

interface Panel {
  readonly id: string;
  readonly title: string;
  readonly value: (record: EpochRecord) => number;
  readonly format: (value: number) => string;
  readonly logBeyond?: number;
}

const formatLoss = (value: number) => String(Number(value.toPrecision(3)));

const panels: readonly Panel[] = [
  {
    id: 'validation-accuracy',
    title: 'Validation accuracy',
    value: ({ validationAccuracy }) => validationAccuracy,
    format: formatPercent,
  },
  {
    id: 'training-accuracy',
    title: 'Training accuracy',
    value: ({ trainAccuracy }) => trainAccuracy,
    format: formatPercent,
  },
  {
    id: 'validation-loss',
    title: 'Validation loss',
    value: ({ validationLoss }) => validationLoss,
    format: formatLoss,
    logBeyond: 20,
  },
  {
    id: 'training-loss',
    title: 'Training objective',
    value: ({ loss }) => loss,
    format: formatLoss,
    logBeyond: 20,
  },
];

/** Loss and accuracy of every Run over its epochs: charts for each student, the teacher beside it. */
export function curvesSection(
  { spec }: Experiment,
  runs: readonly ReportRun[],
  styleOf: (technique: string) => Style,
): Html | undefined {
  const trained = runs.filter(({ history }) => history.length > 0);
  if (trained.length === 0) return undefined;
  const teachers = trained.filter(({ run }) => run.spec.parameters.role === 'teacher');
  const students = trained.filter(({ run }) => run.spec.parameters.role !== 'teacher');
  const groups = [...Map.groupBy(students, ({ run }) => groupName(run.spec.parameters))];
  const shown: readonly (readonly [string, readonly ReportRun[]])[] =
    groups.length === 0
      ? [['Teacher', teachers]]
      : groups.map(([name, own]) => [name, [...teachers, ...own]]);
  return html`<section aria-labelledby="curves">
<h2 id="curves">Training</h2>
<p class="note">A line is a Run, and ends in a dot. ${spec.seeds.length > 1 ? 'Runs that differ in their seed look alike. ' : ''}The training objective of a
distilled student includes the terms of its technique: it compares epochs, not techniques.</p>
${shown.map(([name, members], index) => group(name, members, `curves-${index}`, styleOf))}
</section>
`;
}

function group(
  name: string,
  runs: readonly ReportRun[],
  id: string,
  styleOf: (technique: string) => Style,
): Html {
  const techniques = [...new Set(runs.map(({ run }) => techniqueOf(run.spec.parameters)))];
  return html`<h3>${name}</h3>
${legend(techniques, styleOf)}
<div class="charts">${panels.map((panel) => {
    const curves = runs.map((run) => curve(run, panel, styleOf));
    const description = `${panel.title} over the epochs. Last values: ${lastValues(curves, panel.format)}.`;
    return curvesChart({ id: `${id}-${panel.id}`, title: panel.title, description }, curves, panel);
  })}</div>
`;
}

function groupName({ student, stage, model, dataset }: RunParameters): string {
  const scarce = stage === 'scarcity' ? `, with ${formatShare(dataset.fraction)} of the training images` : '';
  return `${student ?? model} (${model})${scarce}`;
}

function curve({ run, history }: ReportRun, { value }: Panel, styleOf: (technique: string) => Style): Curve {
  const technique = techniqueOf(run.spec.parameters);
  return {
    name: `${technique}, seed ${run.spec.parameters.seed}`,
    style: styleOf(technique),
    points: history.map((record) => [record.epoch, value(record)]),
  };
}

function lastValues(curves: readonly Curve[], format: (value: number) => string): string {
  return curves
    .flatMap(({ name, points }) => {
      const last = points.at(-1);
      return last === undefined ? [] : [`${name}, ${format(last[1])}`];
    })
    .join('; ');
}
