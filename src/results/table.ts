import { cut } from '../text/cut.ts';
import { wrap } from '../text/wrap.ts';
import { formatAccuracy, formatCount, formatDuration, formatPercent, formatShare } from './format.ts';
import type { SummaryRow } from './row.ts';
import type { Summary } from './summary.ts';
import { networkName } from './technique.ts';
import { markedGain, verdictOf, verdictText } from './verdict.ts';

type Column = {
  readonly title: readonly [string, string];
  readonly align: 'left' | 'right';
  readonly cell: (row: SummaryRow) => string;
};

const columns: readonly Column[] = [
  { title: ['', 'network'], align: 'left', cell: (row) => row.network },
  { title: ['', 'technique'], align: 'left', cell: (row) => row.technique },
  { title: ['para-', 'meters'], align: 'right', cell: ({ parameters }) => shown(parameters, formatCount) },
  {
    title: ['test', 'accuracy'],
    align: 'right',
    cell: ({ testAccuracy }) => shown(testAccuracy, formatAccuracy),
  },
  { title: ['', 'gain'], align: 'right', cell: (row) => compared(row, row.gain, markedGain) },
  { title: ['gap', 'closed'], align: 'right', cell: (row) => compared(row, row.gapClosed, formatPercent) },
  {
    title: ['', 'time'],
    align: 'right',
    cell: ({ trainingSeconds }) => shown(trainingSeconds, formatDuration),
  },
  {
    title: ['images', 'per s'],
    align: 'right',
    cell: ({ imagesPerSecond }) => shown(imagesPerSecond, (rate) => String(Math.round(rate))),
  },
];
const elastic = 1;

/**
 * The table people read, at most `width` columns wide as far as names can be cut, with a final newline.
 *
 * Below it stand the seeds that are missing from a mean, and what the seeds allow to say of a gain.
 */
export function formatTable({ rows }: Summary, { width = 80 }: { readonly width?: number } = {}): string {
  const blocks = (['main', 'scarcity'] as const).map((stage) => rows.filter((row) => row.stage === stage));
  const cells = new Map(rows.map((row) => [row, columns.map(({ cell }) => cell(row))]));
  const titles = [0, 1].map((line) => columns.map(({ title }) => title[line] ?? ''));
  const layout = fit([...titles, ...cells.values()], width);

  const [main = [], scarce = []] = blocks.map((block) =>
    block.map((row) => layout.line(cells.get(row) ?? [])),
  );
  const [first] = blocks[1] ?? [];
  const heading = first ? ['', `With ${formatShare(first.fraction)} of the training images:`] : [];
  const notes = [...rows.flatMap(missing), ...rows.flatMap(judged), ...legend(rows)];
  return [
    ...titles.map(layout.line),
    '─'.repeat(layout.width),
    ...main,
    ...heading,
    ...scarce,
    ...(notes.length > 0 ? ['', ...notes.map((note) => wrap(note, width))] : []),
    '',
  ].join('\n');
}

/** Column widths: two spaces between columns if that fits, else one; then the technique is cut. */
function fit(lines: readonly (readonly string[])[], width: number) {
  const natural = columns.map((_, index) =>
    Math.max(...lines.map((line) => [...(line[index] ?? '')].length)),
  );
  const total = natural.reduce((sum, size) => sum + size, 0);
  const gaps = columns.length - 1;
  const gap = total + 2 * gaps <= width ? 2 : 1;
  const excess = Math.max(0, total + gap * gaps - width);
  const widths = natural.map((size, index) => (index === elastic ? Math.max(1, size - excess) : size));
  return {
    width: widths.reduce((sum, size) => sum + size, gap * gaps),
    line: (texts: readonly string[]) =>
      columns
        .map(({ align }, index) => {
          const size = widths[index] ?? 0;
          const text = cut(texts[index] ?? '', size);
          return align === 'left' ? text.padEnd(size) : text.padStart(size);
        })
        .join(' '.repeat(gap))
        .trimEnd(),
  };
}

function shown<T>(value: T | undefined, format: (value: T) => string): string {
  return value === undefined ? '–' : format(value);
}

/** Empty where there is nothing to compare with: teachers and baselines. */
function compared<T>(row: SummaryRow, value: T | undefined, format: (value: T) => string): string {
  return row.role === 'distilled' ? shown(value, format) : '';
}

function missing({ student, network, technique, runs }: SummaryRow): readonly string[] {
  const open = runs.wanted - runs.succeeded - runs.failed;
  const parts = [
    ...(runs.failed > 0 ? [`${runs.failed} of ${runs.wanted} Runs ended without success`] : []),
    ...(open > 0 ? [`${open} of ${runs.wanted} Runs have not ended`] : []),
  ];
  return parts.length > 0 ? [`${networkName(student, network)} ${technique}: ${parts.join(', ')}.`] : [];
}

/** On which seeds an arm is compared, where they are not all, and what these allow to say where they are more than one. */
function judged(row: SummaryRow): readonly string[] {
  const { student, network, technique, role, testAccuracy, gain, runs } = row;
  if (role !== 'distilled' || testAccuracy === undefined) return [];
  const name = `${networkName(student, network)} ${technique}`;
  if (gain === undefined) return [`${name}: no gain, as no seed has both it and its baseline.`];
  const { seeds } = gain;
  const compared = `${name}: compared on ${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')} only.`;
  return [
    ...(seeds.length < runs.wanted ? [compared] : []),
    ...(gain.confidence === undefined ? [] : [`${name}: ${verdictText(gain)}.`]),
  ];
}

function legend(rows: readonly SummaryRow[]): readonly string[] {
  const verdicts = new Set(rows.flatMap(({ gain }) => (gain === undefined ? [] : verdictOf(gain))));
  return [
    ...(verdicts.has('noise') ? ['~ within noise: the interval holds 0.'] : []),
    ...(verdicts.has('unknown')
      ? ['? Not known whether it is more than noise: one seed, or all alike.']
      : []),
  ];
}
