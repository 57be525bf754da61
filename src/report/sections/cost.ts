import type { RunStage } from '../../api/run.ts';
import { resultsOf } from '../../plan/groups.ts';
import { formatDuration } from '../../results/format.ts';
import { networkName, techniqueOf } from '../../results/technique.ts';
import { type Html, html } from '../html.ts';
import type { ReportRun } from '../input.ts';
import { type Column, table } from '../table.ts';
import { shown } from './results.ts';

/** Runs that differ in their seed alone, or all of them. */
interface Cost {
  readonly technique: string;
  readonly network: string;
  readonly runs: number;
  readonly trainingSeconds: number;
  readonly gpuSeconds: number | undefined;
  /** Of one inference. */
  readonly flops: number | undefined;
  readonly imagesPerSecond: number | undefined;
}

const gpuColumn: Column<Cost> = {
  title: 'GPU time',
  align: 'right',
  cell: ({ gpuSeconds }) => shown(gpuSeconds, formatDuration),
};

const columns: readonly Column<Cost>[] = [
  { title: 'Technique', cell: ({ technique }) => technique },
  { title: 'Network', cell: ({ network }) => network },
  { title: 'Runs', align: 'right', cell: ({ runs }) => runs },
  {
    title: 'Training time',
    align: 'right',
    cell: ({ trainingSeconds }) => formatDuration(trainingSeconds),
  },
  { title: 'Images per second', align: 'right', cell: (row) => measured(row.imagesPerSecond, whole) },
  { title: 'FLOPs of an inference', align: 'right', cell: ({ flops }) => measured(flops, formatFlops) },
];

const remarks: Readonly<Record<RunStage, string>> = {
  search: ', search',
  main: '',
  scarcity: ', little data',
  explanation: '',
};

/** What the Experiment took. */
export function costSection(runs: readonly ReportRun[]): Html {
  const groups = Map.groupBy(runs, ({ run: { spec } }) => {
    const { stage, student, role, arm } = spec.parameters;
    return JSON.stringify([stage, student, role, arm]);
  });
  const rows = [...groups.values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const { parameters } = first.run.spec;
    const { student, model, stage } = parameters;
    return [costOf(members, techniqueOf(parameters) + remarks[stage], networkName(student, model))];
  });
  const total = { ...costOf(runs, 'All', ''), flops: undefined, imagesPerSecond: undefined };
  const known = total.gpuSeconds === undefined ? columns : columns.toSpliced(4, 0, gpuColumn);
  const gpuNote =
    total.gpuSeconds === undefined
      ? 'GPU time is not known here: the operator of a cluster counts it.'
      : 'GPU time: as the operator counted it, over all attempts.';
  return html`<section aria-labelledby="cost">
<h2 id="cost">Cost</h2>
${table('What the Runs took, all seeds together', known, rows, total)}
<p class="note">Training time: steps and validation, over all attempts of Runs that succeeded; of other trials of a search
their epochs so far. ${gpuNote} Two FLOPs are one multiplication with its addition.</p>
</section>
`;
}

function costOf(members: readonly ReportRun[], technique: string, network: string): Cost {
  const runs = members.map(({ run }) => run);
  const results = resultsOf(runs);
  const gpus = runs.flatMap(({ status }) => status?.gpuSeconds ?? []);
  return {
    technique,
    network,
    runs: runs.length,
    trainingSeconds: sum(members.map(trainingSecondsOf)),
    gpuSeconds: gpus.length === 0 ? undefined : sum(gpus),
    flops: results[0]?.flops,
    imagesPerSecond:
      results.length === 0
        ? undefined
        : sum(results.map(({ imagesPerSecond }) => imagesPerSecond)) / results.length,
  };
}

/** Of a trial that was paused, its epochs so far. */
export function trainingSecondsOf({ run, history }: ReportRun): number {
  const [result] = resultsOf([run]);
  if (result !== undefined) return result.trainingSeconds;
  return run.spec.trial === undefined ? 0 : sum(history.map(({ seconds }) => seconds));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Empty where it is not one number. */
function measured(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? '' : format(value);
}

function whole(value: number): string {
  return String(Math.round(value));
}

/** `62.5 M`, `1.16 G`. */
function formatFlops(flops: number): string {
  return flops >= 1e9 ? `${(flops / 1e9).toFixed(2)} G` : `${(flops / 1e6).toFixed(1)} M`;
}
