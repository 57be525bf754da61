import { formatAccuracy, formatCount, formatDuration } from '../../results/format.ts';
import type { SummaryRow } from '../../results/row.ts';
import { accuracyAgainst, type Point } from '../charts/scatter.ts';
import { durations, shortCount, shortDuration } from '../charts/steps.ts';
import { type Html, html } from '../html.ts';
import type { Style } from '../series.ts';
import { legend } from './legend.ts';

/** Test accuracy against the size of the networks and the time that their training took. */
export function comparisonSection(
  rows: readonly SummaryRow[],
  styleOf: (technique: string) => Style,
): Html | undefined {
  const main = rows.filter(({ stage, testAccuracy }) => stage === 'main' && testAccuracy !== undefined);
  if (main.length === 0) return undefined;
  const techniques = [...new Set(main.map(({ technique }) => technique))];
  const sizes = pointsOf(main, ({ parameters }) => parameters, styleOf);
  const times = pointsOf(main, ({ trainingSeconds }) => trainingSeconds, styleOf);
  return html`<section aria-labelledby="comparison">
<h2 id="comparison">What accuracy costs</h2>
${legend(techniques, styleOf)}
<div class="charts">
${accuracyAgainst(
  {
    id: 'accuracy-parameters',
    title: 'Test accuracy against parameters',
    description: told(sizes, formatCount),
  },
  sizes,
  { label: 'parameters, logarithmic', format: formatCount, formatTick: shortCount },
)}
${accuracyAgainst(
  {
    id: 'accuracy-time',
    title: 'Test accuracy against training time',
    description: told(times, formatDuration),
  },
  times,
  {
    label: 'training time of a Run, logarithmic',
    format: formatDuration,
    formatTick: shortDuration,
    steps: durations,
  },
)}</div>
<p class="note">Bars reach one standard deviation up and down. Networks of one size stand side by side.</p>
</section>
`;
}

function pointsOf(
  rows: readonly SummaryRow[],
  cost: (row: SummaryRow) => number | undefined,
  styleOf: (technique: string) => Style,
): readonly Point[] {
  return rows.flatMap((row) => {
    const x = cost(row);
    if (x === undefined || x <= 0 || row.testAccuracy === undefined) return [];
    const name = `${row.network} ${row.technique}`;
    const isTeacher = row.role === 'teacher';
    return [{ group: row.network, isTeacher, name, style: styleOf(row.technique), x, y: row.testAccuracy }];
  });
}

function told(points: readonly Point[], format: (value: number) => string): string {
  return points.map(({ name, x, y }) => `${name}: ${format(x)}, ${formatAccuracy(y)}`).join('; ');
}
