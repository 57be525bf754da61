import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { metrics } from '@destillml/core/metrics/catalogue.ts';
import { seriesOf } from '@destillml/core/metrics/metric.ts';
import { describe, expect, it, test } from 'vitest';
import { dashboards } from '../../dashboards/all.ts';
import { interpolate, timeVariables } from './ask/interpolate.ts';
import { samplesIn, selectorOf } from './exposition.ts';
import { golden, goldenHour } from './golden.ts';
import { panelsIn } from './panels.ts';
import { type RuleTest, testRules } from './promtool.ts';
import { notation, valuesOf } from './series.ts';

const root = join(import.meta.dirname, '../..');
const rules = join(root, 'dashboards/generated/rules.yaml');

/**
 * By dashboard, panel and query: the value of each series at the end of the golden hour. They follow from what happens
 * in lab/: four waits of 320 s, say, have their median in the middle of the bucket from 300 to 600 s. Whoever changes one
 * derives it by hand from there first, and then sees that promtool says the same.
 */
type Expected = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>>>
>;
const expected: Expected = JSON.parse(readFileSync(join(root, 'test/fixtures/panel-values.json'), 'utf8'));

const chosen = {
  namespace: '.*',
  experiment: ['cifar', 'digits'],
  run: '.*',
  job: 'destillml-operator',
  parameter: 'training.optimizer.learningRate',
  other: 'distillation.softTargets.temperature',
  smoothing: '5m',
  ...timeVariables(3600, 15),
};

const input_series: RuleTest['input_series'] = goldenHour().map((course) => ({
  series: selectorOf(course.sample),
  values: notation(valuesOf(course, 240)),
}));

describe.each(['operator', 'trainer'] as const)('the golden /metrics of the %s', (exporter) => {
  it.each(['before', 'after'] as const)('%s are of the catalogue', (moment) => {
    const known = new Map(metrics.flatMap((metric) => [...seriesOf(metric)]));
    const types = new Map(
      metrics.flatMap((metric) => [...seriesOf(metric).keys()].map((name) => [name, metric.type])),
    );
    for (const { name, labels, type } of samplesIn(golden(exporter, moment))) {
      expect(known.get(name), name).toEqual(expect.arrayContaining(Object.keys(labels)));
      expect(type, name).toBe(types.get(name));
    }
  });
});

describe.each(Object.entries(dashboards))('the queries of the dashboard %s', (name, dashboard) => {
  const panels = panelsIn(dashboard.json()).filter(({ targets }) => targets.length > 0);

  it('have values for every panel', () => {
    expect(Object.keys(expected[name] ?? {})).toEqual(panels.map(({ title }) => title));
    for (const { title, targets } of panels) {
      expect(Object.keys(expected[name]?.[title] ?? {}), title).toEqual(targets.map(({ refId }) => refId));
      for (const { refId } of targets) {
        expect(
          Object.keys(expected[name]?.[title]?.[refId] ?? {}).length,
          `${title}, ${refId}`,
        ).toBeGreaterThan(0);
      }
    }
  });

  test('are what they should be', async () => {
    const promql_expr_test = panels.flatMap(({ title, targets }) =>
      targets.map(({ refId, expr }) => ({
        // promtool compares to the last digit.
        expr: `round(${interpolate(expr, chosen)}, 0.0001)`,
        eval_time: '60m',
        exp_samples: Object.entries(expected[name]?.[title]?.[refId] ?? {}).map(([labels, value]) => ({
          labels,
          value,
        })),
      })),
    );
    await testRules(rules, [{ interval: '15s', input_series, promql_expr_test }]);
  });
});
