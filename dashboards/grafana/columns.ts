import { type Query, refId } from './query.ts';
import type { Override, Transformation } from './schema.ts';

/** A column of values: its legend is its name. */
type ValueColumn = Pick<Query, 'expr' | 'legend'>;
/** Columns of labels that not all rows need to have; the values are not shown. */
type LabelColumns = { readonly expr: string; readonly says: readonly string[] };
type Column = ValueColumn | LabelColumns;

/**
 * Queries, transformations and overrides of a table with one row for each series: labels first, then what each query
 * says. All queries have to be aggregated by those labels: rows are joined by them.
 *
 * The first query has all rows and is not shown. Grafana calls the values of a query `Value #B` as long as another one
 * finds something too, and `Value` where it is alone: as the rows are there whenever anything is, that can only be theirs,
 * and no number gets under the heading of another one.
 *
 * @param rows expression that has all rows
 */
export function columns(labels: readonly string[], rows: string, found: readonly Column[]) {
  const all: readonly Column[] = [
    { expr: `group by (${labels.join(', ')}) (${rows})`, says: labels },
    ...found,
  ];
  const queries: Query[] = all.map((column) => ({
    expr: column.expr,
    legend: 'legend' in column ? column.legend : '',
    instant: true,
    format: 'table',
  }));
  const texts = all.flatMap((column) => ('says' in column ? column.says : []));
  const hidden = all.flatMap((column, index) => ('says' in column ? [valueName(index)] : []));
  const shown = all.flatMap((column, index) =>
    'says' in column ? [] : [[valueName(index), column.legend] as const],
  );
  const order = all.flatMap((column, index) => ('says' in column ? column.says : [valueName(index)]));
  const transformations: Transformation[] = [
    { id: 'merge', options: {} },
    {
      id: 'organize',
      options: {
        excludeByName: Object.fromEntries(['Time', 'Value', ...hidden].map((name) => [name, true])),
        indexByName: Object.fromEntries(order.map((name, index) => [name, index])),
        renameByName: Object.fromEntries(shown),
      },
    },
  ];
  // Grafana formats every text that looks like a number by the unit of the panel: the seed 3 were 300 %.
  const overrides: Override[] = texts.map((field) => ({ field, properties: { unit: 'string' } }));
  return { queries, transformations, overrides };
}

/** A table of one query alone, in its order: Grafana calls its numbers `Value`. */
export function onlyColumn(label: string, { expr, legend }: ValueColumn) {
  const queries: Query[] = [{ expr, legend, instant: true, format: 'table' }];
  const transformations: Transformation[] = [
    {
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: { [label]: 0, Value: 1 },
        renameByName: { Value: legend },
      },
    },
  ];
  const overrides: Override[] = [{ field: label, properties: { unit: 'string' } }];
  return { queries, transformations, overrides };
}

/** What Grafana calls the numbers of the query of that index, where another one finds something too. */
function valueName(index: number): string {
  return `Value #${refId(index)}`;
}
