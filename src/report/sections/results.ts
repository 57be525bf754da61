import { formatAccuracy, formatCount, formatPercent, formatShare } from '../../results/format.ts';
import type { Gain, SummaryRow } from '../../results/row.ts';
import { networkName } from '../../results/technique.ts';
import { intervalText, markedGain, probabilityText, verdictText } from '../../results/verdict.ts';
import { type Html, html } from '../html.ts';
import { type Column, table } from '../table.ts';

const columns: readonly Column<SummaryRow>[] = [
  { title: 'Technique', cell: ({ technique }) => technique },
  { title: 'Network', cell: ({ student, network }) => networkName(student, network) },
  { title: 'Test accuracy', align: 'right', cell: ({ testAccuracy }) => shown(testAccuracy, formatAccuracy) },
  { title: 'Gain, points', align: 'right', cell: (row) => compared(row, row.gain, markedGain) },
  { title: '95 % interval', align: 'right', cell: (row) => compared(row, row.gain, interval) },
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
${judged(rows)}
<p class="note">Gain: test accuracy minus that of the baseline of the same network, on the seeds that both have. ~: within
noise, as the 95 % confidence interval of its mean (Student’s t) holds 0. ?: one seed, or all
alike, so that it is not known. p: paired t-test,
corrected by Holm over the arms of a network. Gap closed: that gain as a
share of what lies between baseline and teacher. The validation images choose the epoch; the test images are read once.</p>
</section>
`;
}

export function shown<T>(value: T | undefined, format: (value: T) => string): string {
  return value === undefined ? '–' : format(value);
}

/** What the seeds allow to say of each gain, in words; which seeds, where they are not all. */
function judged(rows: readonly SummaryRow[]): Html | undefined {
  const told = rows.flatMap(({ student, network, technique, role, testAccuracy, gain, runs }) => {
    if (role !== 'distilled' || testAccuracy === undefined) return [];
    const text = gain === undefined ? 'no gain, as no seed has both it and its baseline' : verdictText(gain);
    const ranked = gain?.wilcoxonPAdjusted;
    const wilcoxon = ranked === undefined ? '' : `, Wilcoxon p ${probabilityText(ranked)}`;
    const fewer =
      gain && gain.seeds.length < runs.wanted ? `; compared on ${gain.seeds.join(', ')} only` : '';
    return [html`<li>${networkName(student, network)}, ${technique}: ${text}${wilcoxon}${fewer}.</li>`];
  });
  return told.length === 0 ? undefined : html`<ul class="note">${told}</ul>`;
}

function interval(gain: Gain): string {
  return intervalText(gain) ?? '–';
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
