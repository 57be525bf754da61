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

type Named = { readonly name: string; readonly label: string; readonly description: string };

export type LabelVariable = Named & {
  /** Label whose values there are to choose from. */
  readonly of: string;
  /** Series that have it; may name variables that come before. */
  readonly series: string;
};

/**
 * Values of a label, of which several may be chosen, and at first all: those that the list has, and not whatever else is
 * in the Prometheus, which a pattern for all would match.
 */
export function everyVariable({ of, series, ...named }: LabelVariable): Variable {
  const current = { text: ['All'], value: ['$__all'] };
  return {
    ...asked(named, `label_values(${series}, ${of})`),
    sort: 5,
    multi: true,
    includeAll: true,
    current,
  };
}

export type NewestVariable = Omit<LabelVariable, 'series'> & {
  /** Series whose values are moments, the first that there is of each; may name variables that come before. */
  readonly moments: readonly string[];
  /** Only what has these series too. */
  readonly among?: string;
};

/** Values of a label, of which one is chosen: the first by letter, or the last. */
export function oneVariable({
  of,
  series,
  at,
  ...named
}: LabelVariable & { readonly at: 'first' | 'last' }): Variable {
  // Without a choice Grafana takes the first of the list, which is sorted upwards or downwards.
  const sort = at === 'last' ? 6 : 5;
  return { ...asked(named, `label_values(${series}, ${of})`), sort, multi: false, includeAll: false };
}

/**
 * Values of a label, the newest first, which is chosen at first; several may be.
 *
 * "All" is not among the choices: Grafana would begin with it, and average what nobody wants to compare.
 *
 */
export function newestVariable({ of, moments, among, ...named }: NewestVariable): Variable {
  // What was there within the time range counts, also where it has been deleted since.
  const all = moments.map((series) => `max_over_time(${series}[$__range])`).join(' or ');
  const newest = `sort_desc(max by (${of}) (${all})${among === undefined ? '' : ` and on (${of}) max_over_time(${among}[$__range])`})`;
  const variable = asked(named, `query_result(${newest})`, `/${of}="([^"]+)"/`);
  return { ...variable, sort: 0, multi: true, includeAll: false };
}

/** Some values, of which the first is chosen at first. */
export function customVariable({
  values,
  ...named
}: Named & { readonly values: readonly (readonly [text: string, value: string])[] }): Variable {
  const options = values.map(([text, value], index) => ({ text, value, selected: index === 0 }));
  const [first] = options;
  return {
    ...common(named),
    type: 'custom',
    query: values.map(([text, value]) => `${text} : ${value}`).join(', '),
    multi: false,
    includeAll: false,
    ...(first === undefined ? {} : { current: first }),
    options,
  };
}

/** Asked for again whenever the time range changes. */
function asked(named: Named, query: string, regex = '') {
  return {
    ...common(named),
    type: 'query' as const,
    datasource,
    query: { query, refId: `variable-${named.name}` },
    regex,
    refresh: 2 as const,
    options: [],
  };
}

function common({ name, label, description }: Named) {
  return { id: name, name, skipUrlSync: false, label, description, hide: 0 as const };
}
