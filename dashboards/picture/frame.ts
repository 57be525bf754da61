import type { Series } from './prometheus.ts';

export type Cell = string | number | undefined;

/** A table as Grafana makes one of instant queries: a row for each series, a column for each label and value. */
export type Row = Readonly<Record<string, Cell>>;

export type Frame = { readonly columns: readonly string[]; readonly rows: readonly Row[] };

/** What a query of a table found, named as Grafana names it. */
export type Found = { readonly refId: string; readonly series: readonly Series[] };

/** One frame for each query. */
export function framesOf(found: readonly Found[]): readonly Frame[] {
  return found.map(({ refId, series }) => {
    const value = found.length > 1 ? `Value #${refId}` : 'Value';
    const labels = [...new Set(series.flatMap((each) => Object.keys(each.labels)))].sort();
    return {
      columns: ['Time', ...labels, value],
      rows: series.map(({ labels: own, points }) => ({
        Time: (points.at(-1)?.[0] ?? 0) * 1000,
        ...own,
        [value]: points.at(-1)?.[1],
      })),
    };
  });
}
