import { mapNames, mapTitles } from '@destillml/core/api/explain.ts';
import type { Results } from '@destillml/core/results/document.ts';
import { formatSpread } from '@destillml/core/results/format.ts';
import { titleOf } from '@destillml/core/results/technique.ts';
import { groupedTable } from './columns.ts';

/** How alike the maps of each network are to those of the first, by method; empty where nothing was explained. */
export function agreementTable({ explanations, runs }: Results): string {
  const [first, ...others] = [...new Set(explanations.map(({ run }) => run))];
  if (first === undefined || others.length === 0) return '';
  const known = new Map(runs.map(({ name, parameters }) => [name, titleOf(parameters)]));
  const maps = mapNames.filter((name) => explanations.some(({ map }) => map === name));
  const rows = others.map((run) => [
    `  ${known.get(run) ?? run}`,
    ...maps.map((name) => {
      const found = explanations.find(({ map, run: of }) => map === name && of === run);
      return found === undefined ? '' : formatSpread({ mean: found.agreement });
    }),
  ]);
  // The teacher of another Experiment is in none of its Runs.
  const title = `Rank correlation of the maps with those of the ${known.get(first) ?? 'teacher'}:`;
  const head = ['', ...maps.map((name) => mapTitles[name])];
  return `\n${groupedTable(head, [{ title, rows }], ['start', ...maps.map(() => 'end' as const)])}`;
}
