import { z } from 'zod';
import type { DashboardJson } from '../grafana/schema.ts';
import { interpolate, type Variables } from './interpolate.ts';
import type { Prometheus, Range } from './prometheus.ts';

const labelQuery = z.object({ query: z.string() });

/**
 * What is chosen of each variable when somebody opens the dashboard: all, or the first that there is.
 *
 * @param given choices that are made already, by name
 */
export async function choicesFor(
  dashboard: DashboardJson,
  given: Variables,
  prometheus: Pick<Prometheus, 'labelValues'>,
  range: Range,
): Promise<Variables> {
  let chosen: Variables = { datasource: 'prometheus' };
  for (const variable of dashboard.templating.list ?? []) {
    const { name, type, current, allValue = '.*', sort } = variable;
    if (type !== 'query') continue;
    const own =
      given[name] ?? (current === undefined ? await first(variable.query, chosen, sort === 6) : allValue);
    chosen = { ...chosen, [name]: own };
  }
  return chosen;

  async function first(query: unknown, before: Variables, downwards: boolean): Promise<string> {
    const [, selector = '', label = ''] =
      /^label_values\((.*), (\w+)\)$/.exec(labelQuery.parse(query).query) ?? [];
    const values = await prometheus.labelValues(label, interpolate(selector, before), range);
    return values.at(downwards ? -1 : 0) ?? '';
  }
}
