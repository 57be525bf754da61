import type { Spread } from '../../plan/spread.ts';
import {
  formatAccuracy,
  formatCount,
  formatPercent,
  formatPoints,
  formatShare,
} from '../../results/format.ts';
import type { SummaryRow } from '../../results/row.ts';
import { type Html, html } from '../html.ts';
import { type Column, table } from '../table.ts';

const columns: readonly Column<SummaryRow>[] = [
  { title: 'Technique', cell: ({ technique }) => technique },
  { title: 'Network', cell: ({ student, network }) => networkName(student, network) },
  { title: 'Test accuracy', align: 'right', cell: ({ testAccuracy }) => shown(testAccuracy, formatAccuracy) },
  { title: 'Gain, points', align: 'right', cell: (row) => compared(row, row.gain, formatGain) },
  { title: 'Gap closed', align: 'right', cell: (row) => compared(row, row.gapClosed, formatPercent) },
  {
    title: 'Validation',
    align: 'right',
    cell: ({ validationAccuracy }) => shown(validationAccuracy, formatAccuracy),
  },
  {
    title: 'Of the teacher’s',
    align: 'right',
    cell: ({ accuracyRetained }) => (accuracyRetained === undefined ? '' : formatPercent(accuracyRetained)),
  },
  { title: 'Parameters', align: 'right', cell: ({ parameters }) => shown(parameters, formatCount) },
  { title: 'Seeds', align: 'right', cell: ({ runs }) => seeds(runs) },
];

/** The table people read, one for the main stage and one for scarcity. */
export function resultsSection(rows: readonly SummaryRow[]): Html {
  const main = rows.filter(({ stage }) => stage === 'main');
  const scarce = rows.filter(({ stage }) => stage === 'scarcity');
  const [first] = scarce;
  return html`<section aria-labelledby="results">
<h2 id="results">Results</h2>
${table('Accuracy of every network and technique, mean ± standard deviation over the seeds', columns, main)}
${first && table(`With ${formatShare(first.fraction)} of the training images`, columns, scarce)}
<p class="note">Gain: test accuracy minus that of the baseline of the same network, seed by seed. Gap closed: that gain as a
share of what lies between baseline and teacher. The validation images choose the epoch; the test images are read once.</p>
</section>
`;
}

export function networkName(student: string | undefined, network: string): string {
  return student === undefined || student === network ? network : `${student} (${network})`;
}

export function shown<T>(value: T | undefined, format: (value: T) => string): string {
  return value === undefined ? '–' : format(value);
}

function formatGain({ mean, standardDeviation }: Spread): string {
  return `${formatPoints(mean)}${standardDeviation === undefined ? '' : ` ± ${(100 * standardDeviation).toFixed(1)}`}`;
}

/** Empty where there is nothing to compare with: teachers and baselines. */
function compared<T>({ role }: SummaryRow, value: T | undefined, format: (value: T) => string): string {
  return role === 'distilled' ? shown(value, format) : '';
}

function seeds({ wanted, succeeded, failed }: SummaryRow['runs']): string {
  return succeeded === wanted
    ? String(wanted)
    : `${succeeded} of ${wanted}${failed > 0 ? `, ${failed} failed` : ''}`;
}
