import { pathsOf } from '@destillml/core/results/swept.ts';
import type { Trial } from '@destillml/core/results/trials.ts';

const fields = [
  'study',
  'number',
  'run',
  'phase',
  'reason',
  'epochs',
  'epochsInAll',
  'validationAccuracy',
  'parameters',
  'trainingSeconds',
] as const satisfies readonly (keyof Trial)[];

/**
 * A line for each trial of all studies, after one with names; fields are quoted as RFC 4180 has it, and lines end as
 * those of other commands do. What a trial does not set is empty.
 */
export function trialsCsv(trials: readonly Trial[]): string {
  const paths = pathsOf(trials.map(({ values }) => values));
  const rows = trials.map((trial) => [
    ...fields.map((name) => trial[name]),
    ...paths.map((path) => trial.values[path]),
  ]);
  return [[...fields, ...paths], ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}

function cell(value: string | number | boolean | undefined): string {
  if (typeof value !== 'string') return value === undefined ? '' : String(value);
  // A spreadsheet would take it for a formula. Numbers are none, whatever their sign.
  const text = /^[=+\-@\t]/.test(value) ? `'${value}` : value;
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
