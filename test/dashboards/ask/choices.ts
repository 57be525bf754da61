import type { DashboardJson, Variable } from '../../../dashboards/grafana/schema.ts';
import { interpolate, timeVariables, type Variables } from './interpolate.ts';
import type { Prometheus, Range, Series } from './prometheus-client.ts';

type Asked = Pick<Prometheus, 'labelValues' | 'instant'>;

/**
 * What is chosen of each variable when somebody opens the dashboard, by Grafana's rules: `current` if it is there, else
 * the first of the list, and "All" is the first of the list of those that include it.
 *
 * @param given choices that are made already, by name
 */
export async function choicesFor(
  dashboard: DashboardJson,
  given: Variables,
  prometheus: Asked,
  range: Range,
): Promise<Variables> {
  let chosen: Variables = { datasource: 'prometheus', ...timeVariables(range.end - range.start, range.step) };
  for (const variable of dashboard.templating.list ?? []) {
    if (variable.type === 'datasource') continue;
    const values = await valuesOf(variable, chosen, prometheus, range);
    const own = given[variable.name] ?? (variable.includeAll === true ? values : (values[0] ?? ''));
    chosen = { ...chosen, [variable.name]: own };
  }
  return chosen;
}

/** What there is to choose from. */
export async function valuesOf(
  variable: Variable,
  before: Variables,
  prometheus: Asked,
  range: Range,
): Promise<readonly string[]> {
  if (variable.type === 'custom') return (variable.options ?? []).map(({ value }) => String(value));
  const { kind, expression, label } = questionOf(variable);
  const query = interpolate(expression, before);
  if (kind === 'label_values') {
    const values = await prometheus.labelValues(label, query, range);
    return variable.sort === 6 ? values.toReversed() : values;
  }
  const pattern = new RegExp((variable.regex ?? '').slice(1, -1));
  const texts = (await prometheus.instant(query, range.end)).map(asText);
  return [...new Set(texts.flatMap((text) => pattern.exec(text)?.[1] ?? []))];
}

/** What a variable asks Prometheus, in the functions of Grafana's data source. */
export function questionOf(variable: Variable): {
  readonly kind: 'label_values' | 'query_result';
  readonly expression: string;
  readonly label: string;
} {
  const text = String(Object(variable.query).query);
  const [, series, label] = /^label_values\((.*), (\w+)\)$/.exec(text) ?? [];
  if (series !== undefined && label !== undefined) return { kind: 'label_values', expression: series, label };
  const [, expression] = /^query_result\((.*)\)$/.exec(text) ?? [];
  if (expression === undefined) throw new RangeError(`the variable ${variable.name} asks ${text}`);
  return { kind: 'query_result', expression, label: '' };
}

/** As Grafana's data source writes the results of `query_result`, for the variable's pattern. */
function asText({ labels, points }: Series): string {
  const { __name__: name = '', ...others } = labels;
  const inner = Object.entries(others).map(([label, value]) => `${label}="${value}"`);
  const [time, value] = points.at(-1) ?? [];
  return `${name}{${inner.join(',')}} ${value} ${(time ?? 0) * 1000}`;
}
