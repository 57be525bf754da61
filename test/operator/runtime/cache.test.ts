import { describe, expect, it } from 'vitest';
import { Cache, type CacheOptions, labelValue, ownerUids } from '../../../operator/runtime/cache.ts';
import { type Thing, thing, told } from './things.ts';

function fail(error: unknown): never {
  throw error;
}

function cacheOf(options: Partial<CacheOptions<Thing>> = {}): { cache: Cache<Thing>; changes: string[] } {
  const cache = new Cache<Thing>({ onHandlerError: fail, ...options });
  const changes: string[] = [];
  cache.subscribe((change) => changes.push(told(change)));
  return { cache, changes };
}

describe('a cache', () => {
  it('tells what became of objects, and holds how they look', () => {
    const { cache, changes } = cacheOf();
    cache.set(thing('a', 1, { resourceVersion: '1' }));
    cache.set(thing('a', 2, { resourceVersion: '2' }));
    expect(cache.get('lab/a')).toMatchObject({ value: 2 });
    cache.delete(thing('a', 3, { resourceVersion: '3' }));
    expect(cache.get('lab/a')).toBeUndefined();
    expect(changes).toEqual(['added a 1', 'updated a 1 > 2', 'deleted a 3']);
  });

  it('shows a change before it tells of it', () => {
    const cache = new Cache<Thing>({ onHandlerError: fail, indexers: { owner: ownerUids } });
    const seen: unknown[] = [];
    cache.subscribe(({ object }) =>
      seen.push([cache.get('lab/a') === object, cache.byIndex('owner', 'x').length]),
    );
    const owner = { apiVersion: 'v1', kind: 'Owner', name: 'x', uid: 'x' };
    cache.set(thing('a', 1, { ownerReferences: [owner] }));
    cache.delete(thing('a', 1));
    expect(seen).toEqual([
      [true, 1],
      [false, 0],
    ]);
  });

  it('tells a whole new collection as the changes to it', () => {
    const { cache, changes } = cacheOf();
    cache.replace([thing('a', 1), thing('b', 1)]);
    cache.replace([thing('b', 2), thing('c', 1)]);
    expect(changes).toEqual(['added a 1', 'added b 1', 'deleted a 1', 'updated b 1 > 2', 'added c 1']);
    expect([...cache.values()].map(({ metadata }) => metadata.name)).toEqual(['b', 'c']);
  });

  it('says nothing about objects of the version that it knows', () => {
    const { cache, changes } = cacheOf();
    cache.replace([thing('a', 1, { resourceVersion: '7' })]);
    cache.replace([thing('a', 1, { resourceVersion: '7' })]);
    expect(changes).toEqual(['added a 1']);
  });

  it('keeps objects of other namespaces when one namespace is listed', () => {
    const { cache, changes } = cacheOf();
    cache.replace([thing('a')], 'lab');
    cache.replace([thing('b', 0, { namespace: 'hall' })], 'hall');
    cache.replace([], 'hall');
    expect([...cache.values()].map(({ metadata }) => metadata.name)).toEqual(['a']);
    expect(changes).toEqual(['added a 0', 'added b 0', 'deleted b 0']);
  });

  it('shows what was written at once, and does not go back when the watch tells of what was before', () => {
    const { cache, changes } = cacheOf();
    cache.set(thing('a', 1, { resourceVersion: '8' }));
    cache.wrote(thing('a', 3, { resourceVersion: '10' }));
    cache.set(thing('a', 2, { resourceVersion: '9' }));
    cache.set(thing('a', 3, { resourceVersion: '10' }));
    cache.set(thing('a', 4, { resourceVersion: '11' }));
    cache.wrote(thing('a', 3, { resourceVersion: '10' }));
    expect(cache.get('lab/a')?.value).toBe(4);
    expect(changes).toEqual(['added a 1', 'updated a 1 > 3', 'updated a 3 > 4']);
  });

  it('does not bring back an object whose end was told before the answer to a write', () => {
    const { cache, changes } = cacheOf();
    cache.set(thing('a', 1, { resourceVersion: '8' }));
    cache.delete(thing('a', 1, { resourceVersion: '10' }));
    cache.wrote(thing('a', 2, { resourceVersion: '9' }));
    expect(cache.get('lab/a')).toBeUndefined();
    expect(changes).toEqual(['added a 1', 'deleted a 1']);
  });

  it('keeps an object that was written under the name of one whose end is told later', () => {
    const { cache } = cacheOf();
    cache.set(thing('a', 1, { uid: 'first', resourceVersion: '8' }));
    cache.wrote(thing('a', 2, { uid: 'second', resourceVersion: '10' }));
    cache.delete(thing('a', 1, { uid: 'first', resourceVersion: '9' }));
    expect(cache.get('lab/a')).toMatchObject({ value: 2, metadata: { uid: 'second' } });
  });

  it('believes a list whose versions are lower, as after a backup was restored', () => {
    const { cache } = cacheOf();
    cache.replace([thing('a', 2, { resourceVersion: '1000' })]);
    cache.replace([thing('a', 1, { resourceVersion: '7' })]);
    expect(cache.get('lab/a')?.value).toBe(1);
  });

  it('tells of an object that was made anew under its name as deleted, then added', () => {
    const { cache, changes } = cacheOf();
    cache.replace([thing('a', 1, { uid: 'first' })]);
    cache.replace([thing('a', 2, { uid: 'second' })]);
    cache.delete(thing('a', 3, { uid: 'second' }));
    expect(changes).toEqual(['added a 1', 'deleted a 1', 'added a 2', 'deleted a 3']);
  });

  it('does not mind the deletion of what it does not know', () => {
    const { cache, changes } = cacheOf();
    cache.delete(thing('a', 1));
    expect(changes).toEqual([]);
  });

  it('finds objects by owner and by label, as these change', () => {
    const { cache } = cacheOf({ indexers: { owner: ownerUids, arm: labelValue('arm') } });
    const owner = (uid: string) => ({ apiVersion: 'v1', kind: 'Owner', name: uid, uid });
    cache.set(thing('a', 1, { ownerReferences: [owner('x'), owner('y')], labels: { arm: 'hints' } }));
    cache.set(thing('b', 1, { ownerReferences: [owner('x')], labels: { arm: 'hints' } }));
    cache.set(thing('b', 2, { ownerReferences: [owner('y')], labels: {} }));
    const names = (index: string, value: string) =>
      cache.byIndex(index, value).map(({ metadata }) => metadata.name);
    expect([names('owner', 'x'), names('owner', 'y'), names('arm', 'lab/hints')]).toEqual([
      ['a'],
      ['a', 'b'],
      ['a'],
    ]);
    cache.replace([]);
    expect([names('owner', 'x'), names('owner', 'y'), names('arm', 'lab/hints')]).toEqual([[], [], []]);
    expect(() => cache.byIndex('colour', 'red')).toThrow('no index "colour"');
  });

  it('gives objects of an index in the order in which they came, whichever of them changed since', () => {
    const { cache } = cacheOf({ indexers: { owner: ownerUids } });
    const owned = (name: string, value: number) =>
      thing(name, value, { ownerReferences: [{ apiVersion: 'v1', kind: 'Owner', name: 'x', uid: 'x' }] });
    for (const name of ['a', 'b', 'c']) cache.set(owned(name, 1));
    cache.set(owned('a', 2));
    expect(cache.byIndex('owner', 'x')).toMatchObject([owned('a', 2), owned('b', 1), owned('c', 1)]);
  });

  it('tells a late handler of all there is, and nobody of anything after that', () => {
    const { cache } = cacheOf();
    cache.set(thing('a', 1));
    const changes: string[] = [];
    const unsubscribe = cache.subscribe((change) => changes.push(told(change)));
    cache.set(thing('b', 1));
    unsubscribe();
    cache.set(thing('c', 1));
    expect(changes).toEqual(['added a 1', 'added b 1']);
  });

  it('holds objects that nobody can change, without their managed fields', () => {
    const { cache } = cacheOf();
    cache.set(thing('a', 1, { managedFields: [{ manager: 'kubectl' }], labels: { arm: 'hints' } }));
    const held = cache.get('lab/a');
    expect(held?.metadata.managedFields).toBeUndefined();
    expect(() => Object.assign(held?.metadata.labels ?? {}, { arm: 'other' })).toThrow(TypeError);
  });

  it('keeps of an object what it is told to keep', () => {
    const { cache } = cacheOf({ trim: ({ metadata }) => ({ metadata, value: 0 }) });
    cache.set(thing('a', 17));
    expect(cache.get('lab/a')?.value).toBe(0);
  });

  it('goes on when a handler throws, and says so', () => {
    const errors: unknown[] = [];
    const { cache } = cacheOf({ onHandlerError: (error) => errors.push(error) });
    const broken = new Error('broken');
    cache.subscribe(() => {
      throw broken;
    });
    const changes: string[] = [];
    cache.subscribe((change) => changes.push(told(change)));
    cache.set(thing('a', 1));
    expect([errors, changes]).toEqual([[broken], ['added a 1']]);
  });
});
