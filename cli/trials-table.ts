import { shortNames } from '@destillml/core/plan/swept.ts';
import { formatValue, pathsOf } from '@destillml/core/results/swept.ts';
import { bestFirst, byStudy, phasesText, type Trial } from '@destillml/core/results/trials.ts';

interface Column {
  /** Lines of its head. */
  readonly title: readonly string[];
  readonly cell: (trial: Trial) => string;
}

const fixed: readonly Column[] = [
  { title: ['trial'], cell: ({ number }) => `#${number}` },
  { title: ['val %'], cell: ({ validationAccuracy }) => percent(validationAccuracy) },
  { title: ['epochs'], cell: ({ epochs, epochsInAll }) => `${epochs}/${epochsInAll}` },
  { title: ['phase'], cell: ({ phase }) => phase },
];

/**
 * A table for each study, its best trials first, at most `width` columns wide: two spaces between columns if that fits,
 * else one; the values that still have no room are named below it.
 */
export function trialsTable(trials: readonly Trial[], width: number): string {
  return byStudy(trials)
    .map(([study, members]) => studyTable(study, members, width))
    .join('\n');
}

function studyTable(study: string, trials: readonly Trial[], width: number): string {
  const rows = bestFirst(trials);
  const paths = pathsOf(trials.map(({ values }) => values));
  const names = shortNames(paths);
  const columns = [
    ...fixed,
    ...paths.map((path) => ({
      title: wordsOf(names.get(path) ?? path),
      cell: ({ values }: Trial) => {
        const value = values[path];
        return value === undefined ? '–' : formatValue(value);
      },
    })),
  ].map((column) => {
    const cells = rows.map(column.cell);
    return { ...column, cells, width: widest([...column.title, ...cells]) };
  });
  const ends = (space: number) =>
    columns.map((_, index) =>
      columns.slice(0, index + 1).reduce((sum, column) => sum + column.width + space, -space),
    );
  const space = (ends(2).at(-1) ?? 0) <= width ? 2 : 1;
  const shown = columns.filter((_, index) => index < fixed.length || (ends(space)[index] ?? 0) <= width);
  const height = Math.max(...shown.map(({ title }) => title.length));
  const line = (cellOf: (column: (typeof shown)[number], index: number) => string) =>
    shown
      .map((column, index) => {
        const cell = cellOf(column, index);
        return column.title[0] === 'phase' ? cell.padEnd(column.width) : cell.padStart(column.width);
      })
      .join(' '.repeat(space))
      .trimEnd();
  const head = Array.from({ length: height }, (_, index) =>
    line(({ title }) => title[index - height + title.length] ?? ''),
  );
  const left = paths.slice(shown.length - fixed.length).map((path) => names.get(path) ?? path);
  return [
    `${study}: ${trials.length} ${trials.length === 1 ? 'trial' : 'trials'}, ${phasesText(trials)}`,
    ...head,
    ...rows.map((_, row) => line(({ cells }) => cells[row] ?? '')),
    ...failures(trials),
    ...(left.length > 0 ? [`no room for ${left.join(', ')}: see --csv`] : []),
    '',
  ].join('\n');
}

/** Which failed, by reason: `TrainingDiverged: #4, #17`. */
function failures(trials: readonly Trial[]): readonly string[] {
  const failed = trials.filter(({ phase }) => phase === 'Failed');
  return [...Map.groupBy(failed, ({ reason }) => reason ?? 'unknown')].map(
    ([reason, members]) => `${reason}: ${members.map(({ number }) => `#${number}`).join(', ')}`,
  );
}

/** `learningRate` as two lines, `softTargets.weight` as three. */
function wordsOf(name: string): readonly string[] {
  return name.split(/(?=[A-Z])|(?<=\.)/);
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, { length }) => Math.max(width, length), 0);
}

function percent(share: number | undefined): string {
  return share === undefined ? '–' : (100 * share).toFixed(1);
}
