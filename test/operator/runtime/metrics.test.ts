import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { RuntimeMetrics } from '../../../operator/runtime/metrics.ts';
import { FakeClock } from './fake-clock.ts';

let registry: Registry;
let metrics: RuntimeMetrics;
beforeEach(() => {
  registry = new Registry();
  metrics = new RuntimeMetrics(registry);
});

/** Samples whose names begin so, without the buckets of histograms. */
async function samples(prefix: string): Promise<string[]> {
  const text = await registry.metrics();
  return text.split('\n').filter((line) => line.startsWith(prefix) && !line.includes('_bucket{'));
}

describe('the metrics of the runtime', () => {
  it('tell how far the clock of the machine is ahead, as it is when somebody asks', async () => {
    let ahead = -600;
    metrics.clockSkew(() => ahead);
    const text = () => registry.getSingleMetricAsString('destillml_clock_skew_seconds');
    expect(await text()).toMatch(/^destillml_clock_skew_seconds -600$/m);
    ahead = 0;
    expect(await text()).toMatch(/^destillml_clock_skew_seconds 0$/m);
  });

  it('have the names and labels of controller-runtime, where it has one', async () => {
    const all = await registry.getMetricsAsJSON();
    expect(all.map(({ name }) => name).sort()).toEqual([
      'controller_runtime_active_workers',
      'controller_runtime_max_concurrent_reconciles',
      'controller_runtime_reconcile_errors_total',
      'controller_runtime_reconcile_time_seconds',
      'controller_runtime_reconcile_total',
      'destillml_clock_skew_seconds',
      'destillml_watch_events_total',
      'leader_election_master_status',
      'rest_client_request_duration_seconds',
      'rest_client_requests_total',
      'workqueue_adds_total',
      'workqueue_depth',
      'workqueue_longest_running_processor_seconds',
      'workqueue_queue_duration_seconds',
      'workqueue_retries_total',
      'workqueue_unfinished_work_seconds',
      'workqueue_work_duration_seconds',
    ]);
  });

  it('count what watches tell of, by resource', async () => {
    let events = 0;
    metrics.watches('runs', () => events);
    expect(await samples('destillml_watch')).toEqual(['destillml_watch_events_total{resource="runs"} 0']);
    events = 7;
    expect(await samples('destillml_watch')).toEqual(['destillml_watch_events_total{resource="runs"} 7']);
  });

  it('count reconciles by their outcome, from 0', async () => {
    const controller = metrics.controller('run', 4);
    controller.started();
    controller.started();
    controller.finished('error', 0.3);
    expect(await samples('controller_runtime')).toEqual([
      'controller_runtime_reconcile_total{controller="run",result="success"} 0',
      'controller_runtime_reconcile_total{controller="run",result="error"} 1',
      'controller_runtime_reconcile_total{controller="run",result="requeue"} 0',
      'controller_runtime_reconcile_total{controller="run",result="requeue_after"} 0',
      'controller_runtime_reconcile_errors_total{controller="run"} 1',
      'controller_runtime_reconcile_time_seconds_sum{controller="run"} 0.3',
      'controller_runtime_reconcile_time_seconds_count{controller="run"} 1',
      'controller_runtime_active_workers{controller="run"} 1',
      'controller_runtime_max_concurrent_reconciles{controller="run"} 4',
    ]);
  });

  it('show the work queues as they are when asked', async () => {
    const clock = new FakeClock();
    const queue = metrics.workQueue('run', { clock });
    for (const key of ['a', 'b', 'c', 'd', 'a']) queue.add(key);
    await queue.take();
    await clock.advance(2_000);
    await queue.take();
    await clock.advance(1_000);
    queue.done('b');
    queue.retry('b');
    const labels = '{name="run",controller="run"}';
    expect(await samples('workqueue')).toEqual([
      `workqueue_adds_total${labels} 4`,
      `workqueue_retries_total${labels} 1`,
      `workqueue_queue_duration_seconds_sum${labels} 2`,
      `workqueue_queue_duration_seconds_count${labels} 2`,
      `workqueue_work_duration_seconds_sum${labels} 1`,
      `workqueue_work_duration_seconds_count${labels} 1`,
      `workqueue_depth${labels} 2`,
      `workqueue_unfinished_work_seconds${labels} 3`,
      `workqueue_longest_running_processor_seconds${labels} 3`,
    ]);
    queue.done('a');
    await queue.shutDown();
    expect(clock.pending).toBe(0);
  });

  it('count requests and say who leads', async () => {
    metrics.request({ method: 'GET', host: 'api:6443', code: '200', seconds: 0.02 });
    metrics.request({ method: 'GET', host: 'api:6443', code: '<error>', seconds: 30 });
    metrics.leads('destillml', true);
    metrics.leads('destillml', false);
    expect([...(await samples('rest_client')), ...(await samples('leader'))]).toEqual([
      'rest_client_requests_total{code="200",method="GET",host="api:6443"} 1',
      'rest_client_requests_total{code="<error>",method="GET",host="api:6443"} 1',
      'rest_client_request_duration_seconds_sum{verb="GET",host="api:6443"} 30.02',
      'rest_client_request_duration_seconds_count{verb="GET",host="api:6443"} 2',
      'leader_election_master_status{name="destillml"} 0',
    ]);
  });

  it('have buckets from 10 ns to 1000 s for queues', async () => {
    metrics.workQueue('run', { clock: new FakeClock() }).add('a');
    const text = await registry.metrics();
    expect(text).not.toContain('_bucket{name');
    const histogram = registry.getSingleMetric('workqueue_work_duration_seconds');
    expect(histogram).toMatchObject({
      upperBounds: [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100, 1000],
    });
  });
});
