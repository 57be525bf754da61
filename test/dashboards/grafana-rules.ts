/**
 * What Grafana does with a dashboard where it is easily taken for something else, as its source of 9.4 has it. Each rule
 * names what breaks it, by panel or variable; none looks at how the JSON was made.
 */
import type { DashboardJson, PanelJson } from '../../dashboards/grafana/schema.ts';
import { hiddenIn } from './ask/empty.ts';
import { panelsIn } from './panels.ts';

/** What breaks a rule: the panel or variable, and how. */
export type Fault = string;
type Rule = (dashboard: DashboardJson) => readonly Fault[];

const ofPanels =
  (find: (panel: PanelJson) => readonly string[]): Rule =>
  (dashboard) =>
    panelsIn(dashboard).flatMap((panel) => find(panel).map((fault) => `${panel.title}: ${fault}`));

export const rules: Readonly<Record<string, Rule>> = {
  /** state-timeline/utils.ts: with merged values and colours by thresholds, values are buckets of thresholds. */
  'a state timeline with mappings is not coloured by thresholds': ofPanels(
    ({ type, fieldConfig, options }) => {
      const { color, mappings = [] } = fieldConfig.defaults;
      const isBucketed =
        type === 'state-timeline' && color?.mode === 'thresholds' && options?.mergeValues === true;
      return isBucketed && mappings.length > 0 ? ['mappings are not looked at'] : [];
    },
  ),

  /** result_transformer.ts, getValueText: `Value #A` if several queries find something, `Value` if one does. */
  'a column has its name whichever of its queries find something': ofPanels((panel) => {
    const hidden = hiddenIn(panel);
    const renamed = organized(panel, 'renameByName');
    if (panel.targets.filter(({ format }) => format === 'table').length < 2) return [];
    return [
      ...(renamed.Value === undefined ? [] : [`any query alone is called ${renamed.Value}`]),
      ...(hidden.includes('Value') ? [] : ['a query alone shows a column Value']),
      ...(hidden.includes('Value #A') ? [] : ['its rows may be missing']),
    ];
  }),

  /** The option All is put first, and the first is what is chosen unless `current` says otherwise. */
  'All is chosen at first only where it is told': ({ templating: { list = [] } }) =>
    list.flatMap(({ name, includeAll, current }) =>
      includeAll === true && current === undefined ? [`${name}: begins with All`] : [],
    ),
  'All is not the beginning where Experiments or Runs are chosen': ({ templating: { list = [] } }) =>
    list.flatMap(({ name, includeAll }) =>
      includeAll === true && ['experiment', 'run'].includes(name)
        ? [`${name}: All averages what differs`]
        : [],
    ),
  /** templating/variable: `allValue` stands for All as it is, whatever else the Prometheus has. */
  'All is what the list has': ({ templating: { list = [] } }) =>
    list.flatMap(({ name, allValue }) => (allValue === undefined ? [] : [`${name}: All is ${allValue}`])),

  'nothing is said to be zero where nothing is known': ofPanels(({ targets }) =>
    targets.flatMap(({ expr = '' }) => (/or\s+vector\(0\)/.test(expr) ? [`or vector(0)`] : [])),
  ),

  /** displayProcessor.ts: a text that is a number is formatted by the unit of its field. */
  'labels of a table have no unit of numbers': ofPanels((panel) => {
    const { defaults, overrides } = panel.fieldConfig;
    if (panel.type !== 'table' || ['none', 'string'].includes(defaults.unit ?? '')) return [];
    return labelsOf(panel).flatMap((label) => {
      const own = overrides.findLast(({ matcher }) => matcher.id === 'byName' && matcher.options === label);
      const unit = overrides
        .filter(({ matcher }) => matcher.id === 'byName' && matcher.options === label)
        .flatMap(({ properties }) => properties.filter(({ id }) => id === 'unit'))
        .at(-1)?.value;
      return own === undefined || unit !== 'string' ? [`${label} is formatted as ${defaults.unit}`] : [];
    });
  }),

  /** fieldOverrides.ts: a range that a field does not have itself is that of all fields; no value has the colour of the least. */
  'no colour is of a continuous scale without a range of its own': ofPanels(
    ({ fieldConfig: { defaults, overrides } }) => {
      const own = overrides.flatMap(({ properties, matcher }) => {
        const of = Object.fromEntries(properties.map(({ id, value }) => [id, value]));
        const mode = String(Object(of.color).mode ?? '');
        return mode.startsWith('continuous') && !(isNumber(of.min) && isNumber(of.max))
          ? [String(matcher.options)]
          : [];
      });
      return [...own, ...(defaults.color?.mode?.startsWith('continuous') ? ['all'] : [])].map(
        (field) => `${field} is coloured by the range of all columns`,
      );
    },
  ),

  /** xychart/scatter.ts: "Y must be in the same frame as X" instead of the chart, as soon as one column is missing. */
  'a chart of points names no columns that may be missing': ofPanels(({ type, options }) =>
    type === 'xychart' && options?.seriesMapping === 'manual'
      ? ['nothing is drawn if a column is missing']
      : [],
  ),
  /** xychart/scatter.ts: an axis without a label has the name of the first column. */
  'the axes of a chart of points have labels': ofPanels(({ type, fieldConfig: { defaults } }) =>
    type === 'xychart' && !Object(defaults.custom).axisLabel ? ['named after its first column'] : [],
  ),

  'annotations are asked for only by who wants them': ({ annotations: { list = [] } }) =>
    list.flatMap(({ name, enable }) => (enable ? [`${name}: on at first`] : [])),

  /** getValueFormats: `s`, from minutes on, has two digits after a word: 1.39 hour. */
  'long durations are clocks': ofPanels(({ type, title, fieldConfig: { defaults, overrides } }) => {
    const isRead = type === 'stat' || type === 'table';
    const units = [
      [title, defaults.unit],
      ...overrides.flatMap(({ matcher, properties }) =>
        properties.filter(({ id }) => id === 'unit').map(({ value }) => [String(matcher.options), value]),
      ),
    ];
    return isRead
      ? units.filter(([, unit]) => unit === 's' || unit === 'h').map(([field]) => `${field} reads 1.39 hour`)
      : [];
  }),
};

function organized({ transformations = [] }: PanelJson, option: string): Readonly<Record<string, string>> {
  return Object.assign(
    {},
    ...transformations
      .filter(({ id }) => id === 'organize')
      .map(({ options }) => Object(options)[option] ?? {}),
  );
}

/** Columns of a table that are not of the numbers of its queries. */
function labelsOf(panel: PanelJson): readonly string[] {
  return Object.keys(organized(panel, 'indexByName')).filter((name) => !name.startsWith('Value'));
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}
