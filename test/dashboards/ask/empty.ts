import type { PanelJson } from '../../../dashboards/grafana/schema.ts';
import { interpolate, type Variables } from './interpolate.ts';
import type { Prometheus, Range } from './prometheus-client.ts';

/** Whether a panel has nothing to show: none of what it shows has a value; the rows of a table alone are none. */
export async function isEmpty(
  panel: PanelJson,
  variables: Variables,
  prometheus: Pick<Prometheus, 'instant' | 'range'>,
  range: Range,
): Promise<boolean> {
  const hidden = hiddenIn(panel);
  const found = await Promise.all(
    panel.targets
      .filter(({ refId }) => !hidden.includes(`Value #${refId}`) || panel.targets.length === 1)
      .map(async ({ expr, instant }) => {
        const query = interpolate(expr, variables);
        return instant ? prometheus.instant(query, range.end) : prometheus.range(query, range);
      }),
  );
  return found.flat().every(({ points }) => points.every(([, value]) => Number.isNaN(value)));
}

/** Columns of a table that are taken out. */
export function hiddenIn({ transformations = [] }: PanelJson): readonly string[] {
  return transformations.flatMap(({ id, options }) =>
    id === 'organize' ? Object.keys(Object(options).excludeByName ?? {}) : [],
  );
}
