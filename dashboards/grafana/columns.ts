import { type Query, refId } from './query.ts';
import type { Transformation } from './schema.ts';

/** A column of values: its legend is its name. */
export type ValueColumn = Omit<Query, 'instant' | 'format'>;

/**
 * Queries and transformations of a table with one row for each series: labels first, then the values of each query.
 *
 * All queries have to be aggregated by those labels: rows are joined by them.
 */
export function columns(labels: readonly string[], values: readonly ValueColumn[]) {
  const queries: Query[] = values.map((value) => ({ ...value, instant: true, format: 'table' }));
  const names = values.map(({ legend }, index): [string, string] => [`Value #${refId(index)}`, legend]);
  // A single query's column has no letter.
  const renames: [string, string][] = [
    ...names,
    ...names.slice(0, 1).map(([, name]): [string, string] => ['Value', name]),
  ];
  const order = [...labels, 'Value', ...names.map(([name]) => name)];
  const transformations: Transformation[] = [
    { id: 'merge', options: {} },
    {
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(order.map((name, index) => [name, index])),
        renameByName: Object.fromEntries(renames),
      },
    },
  ];
  return { queries, transformations };
}
