import type { PanelJson, Target } from '../grafana/schema.ts';
import { type Frame, framesOf } from './frame.ts';
import { interpolate, timeVariables, type Variables } from './interpolate.ts';
import type { Prometheus, Range, Series } from './prometheus.ts';
import { transform } from './transform.ts';

export type NamedSeries = Series & { readonly name: string };

/** What a panel shows: series over time, or a table. */
export type PanelData = { readonly series: readonly NamedSeries[]; readonly frame: Frame };

export type Asked = {
  readonly prometheus: Pick<Prometheus, 'instant' | 'range'>;
  readonly range: Range;
  readonly variables: Variables;
};

/** Asks Prometheus what the panel asks. */
export async function panelData(
  panel: PanelJson,
  { prometheus, range, variables }: Asked,
): Promise<PanelData> {
  const all = { ...variables, ...timeVariables(range.end - range.start, range.step) };
  const found = await Promise.all(
    panel.targets.map(async (target) => {
      const query = interpolate(target.expr, all);
      const series = target.instant
        ? await prometheus.instant(query, range.end)
        : await prometheus.range(query, range);
      return { target, refId: target.refId ?? '', series };
    }),
  );
  const [frame = { columns: [], rows: [] }] = transform(framesOf(found), panel.transformations ?? []);
  const series = found.flatMap(({ target, series: own }) =>
    own.map((each) => ({ ...each, name: nameOf(each, target) })),
  );
  return { series, frame };
}

/** Whether there is nothing to see. */
export function isEmpty({ type, options }: PanelJson, { series, frame }: PanelData): boolean {
  if (type === 'xychart') return frame.rows.every((row) => row[options?.series[0]?.x] === undefined);
  return series.every(({ points }) => points.every(([, value]) => Number.isNaN(value)));
}

function nameOf({ labels }: Series, { legendFormat = '' }: Target): string {
  return legendFormat.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_whole, label: string) => labels[label] ?? '');
}
