import type { DashboardJson } from '../grafana/schema.ts';
import { labelQuery } from '../grafana/variables.ts';
import { interpolate, type Variables } from './interpolate.ts';
import type { Prometheus, Range } from './prometheus.ts';

type LabelQuery = NonNullable<ReturnType<typeof labelQuery>>;

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
    const { name, current, allValue = '.*', sort } = variable;
    const query = labelQuery(variable);
    if (query === undefined) continue;
    const own = given[name] ?? (current === undefined ? await first(query, chosen, sort === 6) : allValue);
    chosen = { ...chosen, [name]: own };
  }
  return chosen;

  async function first(
    { label, series }: LabelQuery,
    before: Variables,
    downwards: boolean,
  ): Promise<string> {
    const values = await prometheus.labelValues(label, interpolate(series, before), range);
    return values.at(downwards ? -1 : 0) ?? '';
  }
}
