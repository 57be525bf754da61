import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { isAlreadyExists, isConflict, isNotFound } from '../../operator/runtime/api-error.ts';
import type { Resource } from '../../operator/runtime/resource.ts';
import { Client } from '../cluster/client.ts';
import { type ConfigMap, clientOn, configMaps, connect } from './runtime-fixtures.ts';

const access = inject('controlPlane');
const admin = new Client(access);
const connection = connect(access);
const client = clientOn(connection);
const { signal } = new AbortController();
let namespace: string;

beforeAll(async () => {
  namespace = await admin.newNamespace('runtime');
});
afterAll(() => {
  connection.close();
  admin.close();
});

function reason(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('no error'),
    (error: unknown) => error,
  );
}

function ref(name: string): { name: string; namespace: string } {
  return { name, namespace };
}

describe('the API client', () => {
  it('creates, reads, replaces, patches and deletes', async () => {
    const made = await client.create(configMaps, { metadata: ref('a'), data: { x: '1' } }, signal);
    expect(await client.get(configMaps, ref('a'), signal)).toEqual(made);
    const replaced = await client.update(configMaps, { ...made, data: { x: '2' } }, signal);
    expect(replaced.data).toEqual({ x: '2' });
    const patched = await client.patch(configMaps, ref('a'), { data: { x: null, y: '3' } }, signal);
    expect(patched.data).toEqual({ y: '3' });
    await client.delete(configMaps, ref('a'), {}, signal);
    expect(isNotFound(await reason(client.get(configMaps, ref('a'), signal)))).toBe(true);
  });

  it('tells apart what is there already and what somebody else changed', async () => {
    const made = await client.create(configMaps, { metadata: ref('b') }, signal);
    const again = await reason(client.create(configMaps, { metadata: ref('b') }, signal));
    expect([isAlreadyExists(again), isConflict(again)]).toEqual([true, false]);
    await client.patch(configMaps, ref('b'), { data: { x: '1' } }, signal);
    const stale = await reason(client.update(configMaps, made, signal));
    expect([isAlreadyExists(stale), isConflict(stale)]).toEqual([false, true]);
  });

  it('deletes the object that was meant only', async () => {
    const made = await client.create(configMaps, { metadata: ref('c') }, signal);
    const other = client.delete(configMaps, ref('c'), { uid: 'another' }, signal);
    expect(isConflict(await reason(other))).toBe(true);
    await client.delete(configMaps, ref('c'), { uid: made.metadata.uid ?? '' }, signal);
  });

  it('says which field the API server refuses', async () => {
    const refused = await reason(client.create(configMaps, { metadata: ref('Not_a_name') }, signal));
    expect(refused).toMatchObject({
      status: 422,
      reason: 'Invalid',
      details: { causes: [expect.objectContaining({ field: 'metadata.name' })] },
    });
  });

  it('sends many requests at once', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `many-${index}`);
    await Promise.all(names.map((name) => client.create(configMaps, { metadata: ref(name) }, signal)));
    const { items } = await client.list(configMaps, { namespace }, signal);
    expect(items.filter(({ metadata }) => metadata.name.startsWith('many-'))).toHaveLength(40);
    expect(items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
  });

  it('ends a watch when its time is over', async () => {
    const { resourceVersion } = await client.list(configMaps, { namespace }, signal);
    const seen: unknown[] = [];
    const watch = client.watch(configMaps, { namespace, timeoutSeconds: 1, resourceVersion }, signal);
    for await (const event of watch) seen.push(event);
    expect(seen).not.toContainEqual(expect.objectContaining({ type: 'ADDED' }));
  });
});

describe('server-side apply', () => {
  it('makes the object, takes fields from others by force, and drops what it no longer names', async () => {
    const applied = (data: Record<string, string>) =>
      client.apply(configMaps, { metadata: ref('applied'), data }, signal);
    expect((await applied({ x: '1', y: '1' })).data).toEqual({ x: '1', y: '1' });
    await client
      .as('somebody')
      .apply(configMaps, { metadata: ref('applied'), data: { x: '2', z: '2' } }, signal);
    expect((await applied({ x: '3' })).data).toEqual({ x: '3', z: '2' });
  });

  it('writes nothing where nothing changes', async () => {
    const apply = () => client.apply(configMaps, { metadata: ref('same'), data: { x: '1' } }, signal);
    const first = await apply();
    expect((await apply()).metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  it('is a conflict with a version that is no longer the latest', async () => {
    const first = await client.apply(configMaps, { metadata: ref('versioned'), data: { x: '1' } }, signal);
    await client.as('somebody').apply(configMaps, { metadata: ref('versioned'), data: { y: '1' } }, signal);
    const metadata = { ...ref('versioned'), resourceVersion: first.metadata.resourceVersion ?? '' };
    const stale = client.apply(configMaps, { metadata, data: { x: '2' } }, signal);
    expect(isConflict(await reason(stale))).toBe(true);
  });

  it('keeps the statuses of two managers side by side', async () => {
    type Pod = ConfigMap & {
      readonly spec: unknown;
      readonly status?: { readonly message?: string; readonly reason?: string };
    };
    const pods: Resource<Pod> = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
    const spec = { containers: [{ name: 'main', image: 'example.org/none' }] };
    await client.create(pods, { metadata: ref('pod'), spec }, signal);
    await client.applyStatus(pods, { metadata: ref('pod'), status: { message: 'one' } }, signal);
    const pod = await client
      .as('other')
      .applyStatus(pods, { metadata: ref('pod'), status: { reason: 'Two' } }, signal);
    expect(pod.status).toMatchObject({ message: 'one', reason: 'Two' });
  });
});
