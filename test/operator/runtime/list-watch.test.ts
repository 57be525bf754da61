import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../../operator/runtime/api-error.ts';
import { Cache } from '../../../operator/runtime/cache.ts';
import { ListWatch } from '../../../operator/runtime/list-watch.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { cutOff, expired, ModelServer } from './model-server.ts';
import { type Thing, things, told } from './things.ts';

/** A list-watch of a server, running. */
class Running {
  readonly server = new ModelServer();
  readonly clock = new FakeClock();
  readonly changes: string[] = [];
  readonly restarts: [string, number][] = [];
  readonly handlerErrors: unknown[] = [];
  readonly listWatch: ListWatch<Thing>;
  readonly #stop = new AbortController();
  #end: Promise<void> = Promise.resolve();

  constructor(random = () => 0) {
    const cache = new Cache<Thing>({
      onHandlerError: (error) => this.handlerErrors.push(error),
    });
    cache.subscribe((change) => this.changes.push(told(change)));
    this.listWatch = new ListWatch({
      client: this.server.client(),
      resource: things,
      cache,
      clock: this.clock,
      random,
      onRestart: (error, failures) => this.restarts.push([String(error), failures]),
    });
  }

  async start(): Promise<void> {
    this.#end = this.listWatch.run(this.#stop.signal);
    await settle();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('stop'));
    await this.#end;
  }
}

let running: Running;
beforeEach(() => {
  running = new Running();
});
afterEach(() => running.stop());

describe('a list-watch', () => {
  it('tells of all there is before it is synced, then of what happens', async () => {
    const { server, listWatch, changes } = running;
    server.write('a', 1);
    const synced = listWatch.synced.then(() => changes.push('synced'));
    expect(listWatch.isSynced).toBe(false);
    await running.start();
    await synced;
    server.write('a', 2);
    server.write('b', 1);
    server.remove('a');
    await settle();
    expect(changes).toEqual(['added a 1', 'synced', 'updated a 1 > 2', 'added b 1', 'deleted a 2']);
    expect(listWatch.isSynced).toBe(true);
    expect(listWatch.counts).toEqual({ lists: 1, watches: 1, events: 3 });
  });

  it('lists again a server that was restored from a backup, which would say nothing', async () => {
    const { server, clock, changes, restarts } = running;
    await running.start();
    server.write('a', 1);
    server.write('b', 1);
    server.write('a', 2);
    await settle();
    server.restore(2);
    await clock.advance(5_000);
    expect(changes).toEqual(['added a 1', 'added b 1', 'updated a 1 > 2', 'deleted b 1', 'updated a 2 > 1']);
    expect(restarts.map(([why]) => why)).toContainEqual(
      'HistoryLost: things: a is not what it was: the API server was restored from a backup',
    );
    server.write('a', 3);
    await settle();
    expect(changes.at(-1)).toBe('updated a 1 > 3');
  });

  it('lists again a server that was restored and has come as far again, by other ways', async () => {
    const { server, clock, changes } = running;
    await running.start();
    server.write('a', 1);
    server.write('a', 2);
    await settle();
    server.restore(1);
    for (let time = 0; time < 5; time += 1) server.write('other', time);
    await clock.advance(5_000);
    expect(changes.slice(0, 4)).toEqual(['added a 1', 'updated a 1 > 2', 'updated a 2 > 1', 'added other 4']);
  });

  it('lists again when it is told to, at once and once, however often it is told', async () => {
    const { server, listWatch, restarts, clock } = running;
    const lists = () => server.requests.filter((request) => request === 'list').length;
    await running.start();
    server.write('a', 1);
    await settle();
    listWatch.relist();
    await settle();
    expect(lists()).toBe(1);
    await clock.advance(10_000);
    for (let time = 0; time < 5; time += 1) listWatch.relist();
    await settle();
    listWatch.relist();
    await settle();
    expect(lists()).toBe(2);
    expect(restarts).toEqual([]);
    server.write('a', 2);
    await settle();
    expect(running.changes.at(-1)).toBe('updated a 1 > 2');
  });

  it('lists again also when it is told to while it waits to watch again', async () => {
    const { server, listWatch, clock } = running;
    await running.start();
    server.write('a', 1);
    await clock.advance(10_000);
    server.disconnect(cutOff());
    await settle();
    listWatch.relist();
    await clock.advance(5_000);
    expect(listWatch.counts.lists).toBe(2);
  });

  it('goes on from the last version when a watch ends in time or is cut off', async () => {
    const { server, clock } = running;
    await running.start();
    server.write('a', 1);
    await settle();
    server.disconnect();
    await settle();
    server.write('a', 2);
    await settle();
    server.disconnect(cutOff());
    server.write('a', 3);
    await clock.advance(800);
    const look = 'list metadata.name=a';
    expect(server.requests).toEqual(['list', 'watch 1', look, 'watch 2', look, 'watch 3']);
    expect(running.changes).toEqual(['added a 1', 'updated a 1 > 2', 'updated a 2 > 3']);
  });

  it('goes on from the last bookmark', async () => {
    const { server, clock } = running;
    server.write('b', 1);
    await running.start();
    server.write('a', 1);
    server.remove('a');
    server.bookmark();
    await settle();
    server.compact();
    server.disconnect(cutOff());
    await clock.advance(800);
    expect(server.requests).toEqual(['list', 'watch 2', 'list metadata.name=b', 'watch 4']);
  });

  it.each([
    ['as the answer', true],
    ['within a watch', false],
  ])('lists again when its version is gone, which the server says %s', async (_where, asAnswer) => {
    const { server, clock, changes } = running;
    server.write('a', 1);
    server.write('b', 1);
    await running.start();
    server.disconnect(asAnswer ? cutOff() : expired());
    await settle();
    server.remove('a');
    server.write('b', 2);
    server.compact();
    await clock.advance(60_000);
    expect(server.requests).toEqual(
      asAnswer
        ? ['list', 'watch 3', 'list metadata.name=b', 'watch 3', 'list', 'watch 5']
        : ['list', 'watch 3', 'list', 'watch 5'],
    );
    expect(changes).toEqual(['added a 1', 'added b 1', 'deleted a 1', 'updated b 1 > 2']);
  });

  it('tells of an object that was made anew while it did not look as deleted, then added', async () => {
    const { server, clock, changes } = running;
    server.write('a', 1);
    await running.start();
    server.disconnect(expired());
    server.remove('a');
    server.write('a', 2);
    await clock.advance(60_000);
    expect(changes).toEqual(['added a 1', 'deleted a 1', 'added a 2']);
  });

  it('tries ever later while the server fails, and at once again after it was well', async () => {
    const { server, clock, restarts } = running;
    const refused = new ApiError('GET things', 403, { message: 'forbidden' });
    server.failures.push(...Array.from({ length: 8 }, () => refused));
    await running.start();
    const times: number[] = [];
    while (server.requests.length < 9) {
      const before = server.requests.length;
      await clock.advance(100);
      if (server.requests.length > before) times.push(clock.monotonic());
    }
    const waits = times.map((at, index) => at - (times[index - 1] ?? 0));
    expect(waits).toEqual([800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    expect(restarts.map(([, failures]) => failures)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(restarts[0]?.[0]).toContain('forbidden');
    server.write('a', 1);
    await settle();
    server.disconnect(cutOff());
    await settle();
    expect(restarts.at(-1)).toEqual([expect.stringContaining('ECONNRESET'), 0]);
  });

  it('spreads its waits: up to twice as long, as chance has it', async () => {
    const spread = new Running(() => 0.5);
    spread.server.failures.push(cutOff());
    await spread.start();
    await spread.clock.advance(1199);
    expect(spread.server.requests).toEqual(['list']);
    await spread.clock.advance(1);
    expect(spread.server.requests).toEqual(['list', 'list', 'watch 1']);
    await spread.stop();
  });

  it('does not run in circles with a server that ends watches at once', async () => {
    const { server, clock } = running;
    await running.start();
    for (let time = 0; time < 20; time++) {
      server.disconnect();
      await clock.advance(100);
    }
    expect(server.requests.length).toBeLessThan(6);
  });

  it('leaves neither watch nor timer when it is stopped, whatever it does', async () => {
    await running.start();
    await running.stop();
    expect([running.server.watches, running.clock.pending]).toEqual([0, 0]);
    const waiting = new Running();
    waiting.server.failures.push(cutOff());
    await waiting.start();
    expect(waiting.clock.pending).toBe(1);
    await waiting.stop();
    expect(waiting.clock.pending).toBe(0);
  });
});

describe('a list-watch, whatever happens', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), name, value: fc.nat(9) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), name }) },
    fc.record({ do: fc.constantFrom('bookmark', 'compact', 'end', 'cut', 'expire', 'refuse', 'look') }),
  );

  it('comes to what the server has, by changes that follow from each other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 50 }), async (steps) => {
        const running = new Running();
        const { server, clock, listWatch } = running;
        const uids = new Map<string, string | undefined>();
        listWatch.cache.subscribe((change) => {
          const { name, uid } = change.object.metadata;
          // Each object is added once, under a name that is free, changed while it is there, and deleted once.
          if (change.type === 'added') expect(uids.has(name)).toBe(false);
          else expect(uids.get(name)).toBe(uid);
          if (change.type === 'deleted') uids.delete(name);
          else uids.set(name, uid);
        });
        await running.start();
        for (const step of steps) {
          switch (step.do) {
            case 'write':
              server.write(step.name, step.value);
              break;
            case 'remove':
              server.remove(step.name);
              break;
            case 'bookmark':
              server.bookmark();
              break;
            case 'compact':
              server.compact();
              break;
            case 'end':
              server.disconnect();
              break;
            case 'cut':
              server.disconnect(cutOff());
              break;
            case 'expire':
              server.disconnect(expired());
              break;
            case 'refuse':
              server.failures.push(cutOff());
              break;
            default:
              await clock.advance(1000);
          }
        }
        await clock.advance(600_000);
        expect(running.handlerErrors).toEqual([]);
        const byName = (all: Iterable<Thing>) =>
          [...all].map(({ metadata, value }) => [metadata.name, metadata.uid, value]).sort();
        expect(byName(listWatch.cache.values())).toEqual(byName(server.objects.values()));
        await running.stop();
        expect([server.watches, clock.pending]).toEqual([0, 0]);
      }),
      { numRuns: 100 },
    );
  });
});
