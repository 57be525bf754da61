import type { Run } from '@destillml/core/api/run.ts';
import { phaseOf } from '@destillml/core/plan/phases.ts';
import { historyStride } from '@destillml/core/protocol/history.ts';
import { groupedTable } from '../columns.ts';

const bars = '▁▂▃▄▅▆▇█';
/** Columns of a curve. */
const width = 24;

/** The curve of each Run that has one, of trials the best few: validation accuracy by epoch, all on one scale. */
export function curvesTable(runs: readonly Run[]): string {
  const learning = runs.filter(({ status }) => (status?.history ?? []).length > 0);
  const results = learning.filter(({ spec }) => spec.trial === undefined);
  const trials = learning
    .filter(({ spec }) => spec.trial !== undefined)
    .toSorted((a, b) => bestOf(b) - bestOf(a));
  const shown = [...results, ...trials.slice(0, mostTrials)];
  if (shown.length === 0) return 'no Run has reported an epoch yet\n';
  const all = shown.flatMap(historyOf);
  const scale = { low: Math.min(...all), high: Math.max(...all) };
  const rows = shown.map((run) => [
    phaseOf(run),
    `${epochsOf(run)}/${run.spec.parameters.training.epochs}`,
    percent(bestOf(run)),
    sparkline(historyOf(run), scale),
    run.metadata.name,
  ]);
  const title = `validation accuracy, ${percent(scale.low)} – ${percent(scale.high)} %`;
  return groupedTable(
    ['PHASE', 'EPOCH', 'BEST', 'CURVE', 'RUN'],
    [{ title, rows }],
    ['start', 'end', 'end', 'start', 'start'],
  );
}

/** More of a search would be noise. */
const mostTrials = 10;

/** Values as bars of eighths; of more than fit, each column is the mean of some. */
export function sparkline(values: readonly number[], { low, high }: { low: number; high: number }): string {
  const columns = Math.min(width, values.length);
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * values.length) / columns);
    const to = Math.floor(((column + 1) * values.length) / columns);
    const mean = values.slice(from, to).reduce((sum, value) => sum + value, 0) / (to - from);
    const share = high > low ? (mean - low) / (high - low) : 1;
    return bars[Math.round(share * (bars.length - 1))] ?? '';
  }).join('');
}

function historyOf({ status }: Run): readonly number[] {
  return status?.history ?? [];
}

function bestOf(run: Run): number {
  return Math.max(...historyOf(run));
}

function epochsOf(run: Run): number {
  return (
    run.status?.progress?.epoch ?? historyOf(run).length * historyStride(run.spec.parameters.training.epochs)
  );
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}
