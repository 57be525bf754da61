import { z } from 'zod';
import { datasource } from './datasource.ts';
import type { Variable } from './schema.ts';

/** The Prometheus to ask. */
export const datasourceVariable: Variable = {
  type: 'datasource',
  id: 'datasource',
  name: 'datasource',
  skipUrlSync: false,
  label: 'Data source',
  description: 'The Prometheus that scrapes the operator and the trainers.',
  query: 'prometheus',
  regex: '',
  refresh: 1,
  hide: 0,
  multi: false,
  includeAll: false,
  options: [],
};

export type QueryVariable = {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  /** Label whose values there are to choose from. */
  readonly of: string;
  /** Series that have it; may name variables that come before. */
  readonly series: string;
  /** Whether several, and all, may be chosen; they may unless it is told. */
  readonly multi?: boolean;
  /** What is chosen at first; all, where that may be, unless it is told. */
  readonly at?: 'all' | 'first' | 'last';
};

/** Values of a label, asked for again whenever the time range changes. */
export function queryVariable(variable: QueryVariable): Variable {
  const { name, label, description, of, series, multi = true, at = multi ? 'all' : 'first' } = variable;
  const query = `label_values(${series}, ${of})`;
  return {
    type: 'query',
    id: name,
    name,
    skipUrlSync: false,
    label,
    description,
    datasource,
    query: { query, refId: `variable-${name}` },
    regex: '',
    refresh: 2,
    // By letter, upwards or downwards: without a choice, Grafana takes the first.
    sort: at === 'last' ? 6 : 5,
    hide: 0,
    multi,
    includeAll: multi,
    ...(multi ? { allValue: '.*' } : {}),
    ...(at === 'all' ? { current: { text: ['All'], value: ['$__all'] } } : {}),
    options: [],
  };
}

const asked = z.object({ query: z.string() });

/** Which label of which series the variable has its values of; undefined where queryVariable has not made it. */
export function labelQuery({
  query,
}: Variable): { readonly series: string; readonly label: string } | undefined {
  const text = asked.safeParse(query).data?.query ?? '';
  const [, series, label] = /^label_values\((.*), (\w+)\)$/.exec(text) ?? [];
  return series === undefined || label === undefined ? undefined : { series, label };
}
