import { type Metric as ClientMetric, collectDefaultMetrics, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { AttemptMetrics } from '../../../operator/metrics/attempt-metrics.ts';
import { RuntimeMetrics } from '../../../operator/runtime/metrics.ts';
import { ServerMetrics } from '../../../operator/server/server-metrics.ts';
import { metrics } from '../../../src/metrics/catalogue.ts';
import type { Metric } from '../../../src/metrics/metric.ts';

type Registered = ClientMetric &
  Readonly<Pick<Metric, 'name' | 'help' | 'type'>> & {
    readonly labelNames: readonly string[];
    readonly upperBounds?: readonly number[];
  };

it('whatever the operator registers is in the catalogue, with its type, help, labels and buckets', async () => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new RuntimeMetrics(registry);
  new ServerMetrics(registry);
  new AttemptMetrics(registry);
  const catalogued = new Map(metrics.map((metric) => [metric.name, metric]));
  const registered = registry.getMetricsAsArray() as unknown as readonly Registered[];
  expect(registered.length).toBeGreaterThan(50);
  for (const { name, type, help, labelNames, upperBounds } of registered) {
    const { unit: _, ...metric } = catalogued.get(name) ?? {
      unit: undefined,
      name: `not in the catalogue: ${name}`,
    };
    expect(metric).toEqual({
      name,
      type,
      help,
      labels: labelNames,
      ...(upperBounds === undefined ? {} : { buckets: upperBounds }),
    });
  }
});
