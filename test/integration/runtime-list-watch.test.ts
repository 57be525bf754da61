import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isExpired } from '../../operator/runtime/api-error.ts';
import { Cache, labelValue } from '../../operator/runtime/cache.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import type { Connection } from '../../operator/runtime/connection.ts';
import { ListWatch } from '../../operator/runtime/list-watch.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { waitFor } from '../cluster/wait.ts';
import { type ConfigMap, clientOn, configMaps, connect } from './runtime-fixtures.ts';

let controlPlane: ControlPlane;
let connection: Connection;
beforeAll(async () => {
  controlPlane = await startControlPlane({ controllers: false });
  connection = connect(controlPlane.access);
});
afterAll(async () => {
  connection.close();
  await controlPlane.stop();
});

/** A list-watch of the ConfigMaps of a new namespace, and what it told. */
async function running() {
  const namespace = await controlPlane.client.newNamespace('list-watch');
  const client = clientOn(connection);
  const stop = new AbortController();
  const errors: unknown[] = [];
  const cache = new Cache<ConfigMap>({
    indexers: { group: labelValue('group') },
    onHandlerError: (error) => errors.push(error),
  });
  const changes: string[] = [];
  cache.subscribe(({ type, object }) => changes.push(`${type} ${object.metadata.name}`));
  const listWatch = new ListWatch({
    client,
    resource: configMaps,
    cache,
    selection: { namespace, labelSelector: 'group' },
    clock: systemClock,
    random: Math.random,
  });
  let end = Promise.resolve();
  return {
    namespace,
    cache,
    changes,
    listWatch,
    write: (name: string, value: string, group = 'one') =>
      client.apply(
        configMaps,
        { metadata: { name, namespace, labels: { group } }, data: { value } },
        stop.signal,
      ),
    remove: (name: string) => client.delete(configMaps, { name, namespace }, {}, stop.signal),
    start: async () => {
      end = listWatch.run(stop.signal);
      await listWatch.synced;
    },
    stop: async () => {
      stop.abort();
      await end;
      expect(errors).toEqual([]);
    },
  };
}

describe('a list-watch of the API server', () => {
  it('reads thousands of objects in pages, and follows them', async () => {
    const all = await running();
    const names = Array.from({ length: 2_300 }, (_, index) => `map-${index}`);
    const queue = [...names];
    const worker = async () => {
      for (let name = queue.pop(); name !== undefined; name = queue.pop()) await all.write(name, '1');
    };
    await Promise.all(Array.from({ length: 20 }, worker));
    await all.start();
    expect(all.cache.size).toBe(2_300);
    expect(all.listWatch.counts).toMatchObject({ lists: 1, events: 0 });
    expect(all.cache.get(`${all.namespace}/map-7`)).toMatchObject({
      kind: 'ConfigMap',
      data: { value: '1' },
    });

    await all.write('map-7', '2', 'two');
    await all.write('new', '1');
    await all.remove('map-8');
    await waitFor('the changes', () => (all.listWatch.counts.events === 3 ? true : undefined));
    expect(all.changes.slice(2_300)).toEqual(['updated map-7', 'added new', 'deleted map-8']);
    expect(all.cache.byIndex('group', `${all.namespace}/two`).map(({ metadata }) => metadata.name)).toEqual([
      'map-7',
    ]);
    await all.stop();
  });

  it('tells of an object that no longer matches its selector as deleted', async () => {
    const some = await running();
    await some.write('a', '1');
    await some.start();
    const path = `/api/v1/namespaces/${some.namespace}/configmaps/a`;
    const contentType = 'application/merge-patch+json';
    await controlPlane.client.send('PATCH', path, { metadata: { labels: { group: null } } }, { contentType });
    await waitFor('the change', () => (some.changes.length === 2 ? true : undefined));
    expect(some.changes).toEqual(['added a', 'deleted a']);
    await some.stop();
  });

  it('is told that a version is too old by an API server that came later', async () => {
    await controlPlane.restartApiServer();
    const { signal } = new AbortController();
    const watch = clientOn(connection).watch(configMaps, { resourceVersion: '1', timeoutSeconds: 5 }, signal);
    await expect(watch.next()).rejects.toSatisfy(isExpired);
  });

  it('goes on when the API server dies and comes back, and misses nothing', async () => {
    const some = await running();
    await some.write('kept', '1');
    await some.write('changed', '1');
    await some.write('made-anew', '1');
    await some.write('gone', '1');
    await some.start();
    await controlPlane.restartApiServer();
    await some.remove('made-anew');
    await some.write('made-anew', '2');
    await some.write('changed', '2');
    await some.remove('gone');
    await some.write('new', '1');
    await waitFor('the last change', () => some.cache.get(`${some.namespace}/new`));
    expect(some.changes.slice(4).sort()).toEqual([
      'added made-anew',
      'added new',
      'deleted gone',
      'deleted made-anew',
      'updated changed',
    ]);
    expect(some.listWatch.counts.watches).toBeGreaterThan(1);
    await some.stop();
  });
});
