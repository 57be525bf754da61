import { datasource } from './datasource.ts';

export type Query = {
  readonly expr: string;
  /** Name of a series, such as `{{arm}}`; the name of the column in tables. */
  readonly legend: string;
  /** Only the newest value, rather than one for each step of the time range. */
  readonly instant?: boolean;
  /** heatmap: the buckets of a histogram, one series each. */
  readonly format?: 'time_series' | 'table' | 'heatmap';
};

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** As Grafana's Prometheus data source has them; A is the first. */
export function targets(queries: readonly Query[]) {
  return queries.map(({ expr, legend, instant = false, format = 'time_series' }, index) => ({
    datasource,
    refId: refId(index),
    expr,
    legendFormat: legend,
    format,
    instant,
    range: !instant,
    editorMode: 'code' as const,
  }));
}

/** The letter that Grafana knows the query of that index by. */
export function refId(index: number): string {
  const letter = letters[index];
  if (letter === undefined) throw new RangeError(`a panel has ${letters.length} queries at most`);
  return letter;
}
