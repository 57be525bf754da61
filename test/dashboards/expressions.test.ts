import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { metrics } from '@destillml/core/metrics/catalogue.ts';
import { seriesOf } from '@destillml/core/metrics/metric.ts';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { dashboards } from '../../dashboards/all.ts';
import { alerts } from '../../dashboards/rules/alerts.ts';
import { questionOf } from './ask/choices.ts';
import { interpolate, timeVariables } from './ask/interpolate.ts';
import { panelsIn } from './panels.ts';
import { usedIn } from './promql.ts';

/** What Prometheus itself puts on every series of a pod. */
const targetLabels = ['job', 'instance', 'namespace', 'pod', 'container', 'service', 'endpoint'];

/** Series of others, with those of their labels that are asked for. */
const foreign: readonly (readonly [string, readonly string[]])[] = [
  ['up', []],
  // cAdvisor, in every kubelet.
  ['container_cpu_usage_seconds_total', []],
  ['container_memory_working_set_bytes', []],
  // kube-state-metrics.
  ['kube_pod_container_resource_limits', ['resource']],
  ['kube_node_status_allocatable', ['resource']],
  // NVIDIA's DCGM exporter.
  ...[
    'DCGM_FI_DEV_GPU_UTIL',
    'DCGM_FI_DEV_FB_USED',
    'DCGM_FI_DEV_POWER_USAGE',
    'DCGM_FI_DEV_SM_CLOCK',
    'DCGM_FI_DEV_GPU_TEMP',
    'DCGM_FI_DEV_XID_ERRORS',
    'DCGM_FI_PROF_PIPE_TENSOR_ACTIVE',
  ].map((name) => [name, ['exported_namespace', 'exported_pod']] as const),
  // Kueue.
  ['kueue_pending_workloads', ['cluster_queue', 'status']],
  ['kueue_evicted_workloads_total', ['cluster_queue', 'reason']],
  ['kueue_cluster_queue_nominal_quota', ['cluster_queue', 'flavor', 'resource']],
  ['kueue_cluster_queue_resource_usage', ['cluster_queue', 'flavor', 'resource']],
  // Prometheus itself, of its rules.
  ['ALERTS', ['alertname', 'alertstate', 'severity', 'experiment', 'run']],
  ['ALERTS_FOR_STATE', ['alertname', 'severity', 'experiment', 'run']],
];

const known = new Map<string, readonly string[]>([
  ...metrics.flatMap((metric) => [...seriesOf(metric)]),
  ...foreign,
]);

type Named = { readonly from: string; readonly expression: string };

const chosen = {
  namespace: '.*',
  experiment: '.*',
  run: '.*',
  job: '.*',
  parameter: 'a',
  other: 'b',
  smoothing: '5m',
};

const asked: readonly Named[] = Object.entries(dashboards).flatMap(([name, dashboard]) => {
  const json = dashboard.json();
  const variables = (json.templating.list ?? []).flatMap((variable) => {
    if (variable.type !== 'query') return [];
    const { label, expression } = questionOf(variable);
    return [
      {
        from: `variable ${variable.name}`,
        expression: label === '' ? expression : `count by (${label}) (${expression})`,
      },
    ];
  });
  const annotations = (json.annotations.list ?? []).map((each) => ({
    from: each.name,
    expression: each.expr ?? '',
  }));
  const queries = panelsIn(json).flatMap(({ title, targets }) =>
    targets.map(({ refId, expr }) => ({ from: `${title}, ${refId}`, expression: expr })),
  );
  return [...queries, ...variables, ...annotations].map(({ from, expression }) => ({
    from: `${name}: ${from}`,
    expression: interpolate(expression, { ...chosen, ...timeVariables(3600, 15) }),
  }));
});

const ruled: readonly Named[] = alerts.map(({ alert, expr }) => ({ from: alert, expression: expr }));

describe('every expression is PromQL, and names only metrics and labels that there are:', () => {
  test.each([...asked, ...ruled])('$from', ({ expression }) => {
    const { metrics: used, grouping, made } = usedIn(expression);
    expect(used.length).toBeGreaterThan(0);
    for (const { name, labels } of used) {
      expect([...known.keys()]).toContain(name);
      expect([...(known.get(name) ?? []), ...targetLabels]).toEqual(expect.arrayContaining([...labels]));
    }
    const there = [...used.flatMap(({ name }) => known.get(name) ?? []), ...made, ...targetLabels];
    expect(there).toEqual(expect.arrayContaining([...grouping]));
  });
});

it('no rate asks for less than four scrapes of examples/monitoring/prometheus.yaml, which tells how often', () => {
  const file = join(import.meta.dirname, '../../examples/monitoring/prometheus.yaml');
  const jobs: readonly { readonly scrape_interval?: string }[] = parse(
    readFileSync(file, 'utf8'),
  ).scrape_configs;
  expect(jobs.map(({ scrape_interval }) => scrape_interval)).toEqual(['30s', '15s']);
  const windows = [...asked, ...ruled].flatMap(({ expression }) =>
    [...expression.matchAll(/\[(\d+)m\]/g)].map(([, minutes]) => Number(minutes)),
  );
  expect(Math.min(...windows)).toBe(2);
});

it('a metric that does not exist, and a label that it does not have, would be found', () => {
  expect(known.has('destillml_run_accurracy')).toBe(false);
  expect(known.get('destillml_run_phase')).not.toContain('arm');
  expect(() => usedIn('sum(rate(x[5m])')).toThrow('no PromQL at');
});
