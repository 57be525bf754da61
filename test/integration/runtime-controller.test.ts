import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { Cache, ownerUids } from '../../operator/runtime/cache.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import {
  itsController,
  itself,
  type Reconcile,
  runController,
  watching,
} from '../../operator/runtime/controller.ts';
import { ListWatch } from '../../operator/runtime/list-watch.ts';
import { RuntimeMetrics } from '../../operator/runtime/metrics.ts';
import { RateLimiter } from '../../operator/runtime/rate-limiter.ts';
import { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { type ConfigMap, clientOn, configMaps, connect } from './runtime-fixtures.ts';

const access = inject('controlPlane');
const admin = new Client(access);
const connection = connect(access);
afterAll(() => {
  connection.close();
  admin.close();
});

describe('a controller at the API server', () => {
  it('gives every ConfigMap a copy, and gives it again when that is changed or deleted', async () => {
    const namespace = await admin.newNamespace('controller');
    const registry = new Registry();
    const metrics = new RuntimeMetrics(registry);
    const client = clientOn(connection, {
      limiter: new RateLimiter({ qps: 500, burst: 500 }, systemClock),
      observe: (request) => metrics.request(request),
    });
    const stop = new AbortController();
    const log = pino({ level: 'silent' });
    const list = (labelSelector: string) => {
      const onHandlerError = (error: unknown) => log.error(error);
      return new ListWatch({
        client,
        resource: configMaps,
        cache: new Cache<ConfigMap>({ indexers: { owner: ownerUids }, onHandlerError }),
        selection: { namespace, labelSelector },
        clock: systemClock,
        random: Math.random,
      });
    };
    const originals = list('role=original');
    const copies = list('role=copy');
    const reconcile: Reconcile = async (key, signal) => {
      const original = originals.cache.get(key);
      if (original === undefined) return {};
      const { name, uid = '' } = original.metadata;
      const [copy] = copies.cache.byIndex('owner', uid);
      if (copy?.data?.value === original.data?.value) return {};
      const owner = { apiVersion: 'v1', kind: 'ConfigMap', name, uid, controller: true };
      const metadata = {
        name: `${name}-copy`,
        namespace,
        labels: { role: 'copy' },
        ownerReferences: [owner],
      };
      await client.apply(configMaps, { metadata, data: { ...original.data } }, signal);
      return {};
    };
    const run = Promise.all([
      originals.run(stop.signal),
      copies.run(stop.signal),
      runController(
        {
          name: 'copy',
          sources: [watching(originals, itself), watching(copies, itsController('ConfigMap'))],
          reconcile,
          queue: metrics.workQueue('copy', { clock: systemClock }),
          workers: 4,
          log,
          monotonic: systemClock.monotonic,
          observer: metrics.controller('copy', 4),
        },
        stop.signal,
      ),
    ]);

    const names = Array.from({ length: 50 }, (_, index) => `map-${index}`);
    const original = (name: string, value: string) =>
      client.apply(
        configMaps,
        { metadata: { name, namespace, labels: { role: 'original' } }, data: { value } },
        stop.signal,
      );
    await Promise.all(names.map((name) => original(name, '1')));
    const settled = (value: string) =>
      waitFor('the copies', () => {
        const values = names.map((name) => copies.cache.get(`${namespace}/${name}-copy`)?.data?.value);
        return values.every((one) => one === value) || undefined;
      });
    await settled('1');
    await Promise.all([
      client.delete(configMaps, { namespace, name: 'map-3-copy' }, {}, stop.signal),
      client.patch(configMaps, { namespace, name: 'map-4-copy' }, { data: { value: 'wrong' } }, stop.signal),
    ]);
    await waitFor('the changes to be seen', () => copies.counts.events >= 52 || undefined);
    await settled('1');
    await Promise.all(names.map((name) => original(name, '2')));
    await settled('2');

    stop.abort();
    await run;
    const text = await registry.metrics();
    expect(text).toContain('controller_runtime_reconcile_total{controller="copy",result="error"} 0');
    expect(text).toMatch(/rest_client_requests_total\{code="200",method="PATCH",host="127.0.0.1:\d+"\} \d+/);
    expect(text).toContain('workqueue_depth{name="copy",controller="copy"} 0');
  });
});
