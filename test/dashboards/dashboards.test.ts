import { describe, expect, it, test } from 'vitest';
import { dashboards } from '../../dashboards/all.ts';
import { palette } from '../../dashboards/grafana/palette.ts';
import { questionOf } from './ask/choices.ts';
import { panelsIn } from './panels.ts';

/** What Grafana 9.4 and all later draw; graph, singlestat, table-old and others are gone or on their way out. */
const kinds = ['stat', 'timeseries', 'table', 'barchart', 'heatmap', 'state-timeline', 'xychart', 'text'];
const transformationsOf94 = ['merge', 'organize', 'convertFieldType', 'sortBy', 'groupingToMatrix'];

/** By dashboard: the addresses that clicks on its panels lead to. */
const leadsTo: Readonly<Record<string, readonly string[]>> = {
  'lab-overview': ['destillml-run', 'destillml-run', 'destillml-run', 'destillml-experiment'],
  experiment: ['destillml-run'],
  sweep: ['destillml-run'],
  run: [],
  operator: [],
};

it('there are five, whose addresses differ', () => {
  const uids = Object.values(dashboards).map((dashboard) => dashboard.json().uid);
  expect(uids).toEqual([
    'destillml-lab-overview',
    'destillml-experiment',
    'destillml-sweep',
    'destillml-run',
    'destillml-operator',
  ]);
});

test.each([
  ['lab-overview', ['datasource', 'namespace']],
  ['experiment', ['datasource', 'namespace', 'experiment']],
  ['sweep', ['datasource', 'namespace', 'experiment', 'parameter', 'other']],
  ['run', ['datasource', 'namespace', 'experiment', 'run', 'smoothing']],
  ['operator', ['datasource', 'job']],
])('on %s one may choose %j, each of what is left by those before', (name, names) => {
  const { list = [] } = dashboards[name]!.json().templating;
  expect(list.map((variable) => variable.name)).toEqual(names);
  list.forEach((variable, index) => {
    if (variable.type !== 'query') return;
    const { name: own, multi, includeAll, refresh } = variable;
    const { expression } = questionOf(variable);
    const used = [...expression.matchAll(/\$(\w+)/g)].map(([, other]) => other);
    expect([...names.slice(0, index), '__range']).toEqual(expect.arrayContaining(used));
    // All is offered where what is chosen is told apart or added up, and not where it would be averaged.
    expect(multi).toBe(['namespace', 'experiment', 'run', 'job'].includes(own));
    expect(includeAll).toBe(['namespace', 'job'].includes(own));
    expect(refresh).toBe(2);
    if (own === 'experiment') expect(expression).toContain('namespace=~"$namespace"');
    if (own === 'run') expect(expression).toContain('experiment=~"$experiment"');
  });
});

test.each(['lab-overview', 'experiment', 'run'])(
  '%s can mark preemptions, of what is chosen, for those who ask',
  (name) => {
    const { list = [] } = dashboards[name]!.json().annotations;
    expect(list.map(({ name: mark, enable }) => [mark, enable])).toEqual([['Preemptions', false]]);
    expect(list[0]?.expr).toContain('namespace=~"$namespace"');
  },
);

describe.each(Object.entries(dashboards))('the dashboard %s', (name, dashboard) => {
  const json = dashboard.json();
  const panels = panelsIn(json);

  it('is the same every time', () => {
    expect(JSON.stringify(dashboard.json())).toBe(JSON.stringify(json));
  });

  it('is of a schema that Grafana 9.4 reads, and fits into a ConfigMap', () => {
    expect(json.schemaVersion).toBe(39);
    // Left out, so that later Grafanas migrate the panels.
    expect(JSON.stringify(json)).not.toContain('pluginVersion');
    expect(JSON.stringify(json, null, 2).length).toBeLessThan(900_000);
  });

  it('has panels of kinds that are not deprecated only, changed by what Grafana 9.4 can', () => {
    expect(panels.map(({ type }) => type).filter((type) => !kinds.includes(type))).toEqual([]);
    const used = panels.flatMap(({ transformations = [] }) => transformations.map(({ id }) => id));
    expect(used.filter((id) => !transformationsOf94.includes(id))).toEqual([]);
  });

  it('gives each panel a number, a title and a place of its own', () => {
    const all = json.panels.flatMap((panel) => [panel, ...('panels' in panel ? panel.panels : [])]);
    const ids = all.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const titles = panels.map(({ title }) => title);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });

  it('has no overlapping panels, and none beyond the 24 columns', () => {
    const rows = json.panels.flatMap((panel) => ('panels' in panel ? [panel.panels] : []));
    for (const visible of [json.panels, ...rows]) {
      const places = visible.map(({ gridPos, title }) => ({ ...gridPos, title }));
      expect(places.filter(({ x, w }) => x < 0 || x + w > 24)).toEqual([]);
      const pairs = places.flatMap((one, index) =>
        places.slice(index + 1).map((other) => [one, other] as const),
      );
      const overlapping = pairs.filter(
        ([one, other]) =>
          one.x < other.x + other.w &&
          other.x < one.x + one.w &&
          one.y < other.y + other.h &&
          other.y < one.y + one.h,
      );
      expect(overlapping).toEqual([]);
    }
  });

  it('says of each panel what it shows and in which unit', () => {
    for (const { title, description, fieldConfig, targets, type } of panels) {
      expect(title).toMatch(/^[A-Z]/);
      expect(description, title).toMatch(/^[A-Z].{20,}\.$/s);
      expect(fieldConfig.defaults.unit, title).toBeDefined();
      expect(targets.length > 0, title).toBe(type !== 'text');
    }
  });

  it('has colours that people with any colour vision tell apart', () => {
    const used = new Set(JSON.stringify(json).match(/#[0-9a-f]{6}\b/gi));
    expect(Object.values(palette)).toEqual(expect.arrayContaining([...used]));
    const modes = new Set(
      [...JSON.stringify(json).matchAll(/"mode":"((?:continuous|palette)[^"]*)"/g)].map(([, mode]) => mode),
    );
    // Yellow to blue; Grafana's own order only for series that nobody can name ahead.
    expect(['continuous-YlBl', 'palette-classic']).toEqual(expect.arrayContaining([...modes]));
  });

  it('links to the others with the same time and choices', () => {
    expect(json.links).toEqual([
      expect.objectContaining({ type: 'dashboards', tags: ['destillml'], keepTime: true, includeVars: true }),
    ]);
    expect(json.tags).toEqual(['destillml']);
    const links = panels.flatMap(({ fieldConfig: { defaults, overrides } }) => [
      ...(defaults.links ?? []),
      ...overrides.flatMap(({ properties }) =>
        properties.filter(({ id }) => id === 'links').flatMap(({ value }) => value),
      ),
    ]);
    expect(links.map(({ url }) => /^\/d\/([\w-]+)\?/.exec(url)?.[1])).toEqual(leadsTo[name]);
    for (const { url } of links) {
      expect(url).toContain(`\${__url_time_range}`);
      expect(url).toContain(`\${datasource:queryparam}`);
    }
  });

  it('asks the Prometheus that is chosen, and nothing else', () => {
    const { list = [] } = json.templating;
    expect(list[0]).toMatchObject({ type: 'datasource', name: 'datasource', query: 'prometheus' });
    const asked = [
      ...panels.flatMap(({ datasource, targets }) => [
        datasource,
        ...targets.map((target) => target.datasource),
      ]),
      ...list.filter(({ type }) => type === 'query').map(({ datasource }) => datasource),
      ...(json.annotations.list ?? []).map(({ datasource }) => datasource),
    ];
    for (const datasource of asked) expect(datasource).toEqual({ type: 'prometheus', uid: `\${datasource}` });
  });
});
