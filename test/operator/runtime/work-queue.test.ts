import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type QueueObserver, WorkQueue } from '../../../operator/runtime/work-queue.ts';
import { FakeClock, settle } from './fake-clock.ts';

let clock: FakeClock;
let queue: WorkQueue;
beforeEach(() => {
  clock = new FakeClock();
  queue = new WorkQueue({ clock });
});

/** What a worker gets at once; `nothing` if it would wait. */
function taken(): Promise<string | undefined> {
  return Promise.race([queue.take(), settle().then(() => 'nothing')]);
}

describe('a work queue', () => {
  it('gives keys out in the order in which they came, each once', async () => {
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect([await taken(), await taken(), await taken(), await taken()]).toEqual(['a', 'b', 'c', 'nothing']);
  });

  it('gives a key to a worker that waits for one', async () => {
    const waiting = queue.take();
    queue.add('a');
    expect(await waiting).toBe('a');
    expect(queue.depth).toBe(0);
  });

  it('keeps a key back while it is worked on, and gives it out after that', async () => {
    queue.add('a');
    await taken();
    queue.add('a');
    queue.add('a');
    queue.add('b');
    expect([await taken(), await taken(), queue.depth]).toEqual(['b', 'nothing', 1]);
  });

  it('gives a key that was added while it was worked on out once more', async () => {
    queue.add('a');
    await taken();
    queue.add('a');
    queue.done('a');
    expect(await taken()).toBe('a');
    queue.done('a');
    expect(await taken()).toBe('nothing');
  });

  it.each([
    { whiles: [100, 50, 200], due: 50 },
    { whiles: [50, 100], due: 50 },
    { whiles: [100, 100], due: 100 },
  ])('adds a key once, after the whiles $whiles at $due ms', async ({ whiles, due }) => {
    for (const milliseconds of whiles) queue.addAfter('a', milliseconds);
    await clock.advance(due - 1);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
    await taken();
    queue.done('a');
    await clock.advance(10_000);
    expect(queue.depth).toBe(0);
  });

  it('adds a key at once whose while is over', () => {
    queue.addAfter('a', 0);
    queue.addAfter('b', -5);
    expect(queue.depth).toBe(2);
  });

  it('waits longer before every retry, up to a cap, and anew after it was told to forget', async () => {
    const capped = new WorkQueue({ clock, backOff: { base: 5, cap: 30 } });
    const waits: number[] = [];
    const retry = async () => {
      const since = clock.monotonic();
      capped.retry('a');
      while (capped.depth === 0) await clock.advance(1);
      waits.push(clock.monotonic() - since);
      capped.done((await capped.take()) ?? '');
    };
    for (let time = 0; time < 5; time++) await retry();
    capped.forget('a');
    await retry();
    expect(waits).toEqual([5, 10, 20, 30, 30, 5]);
    expect(capped.failures('a')).toBe(1);
  });

  it('lets go of its workers and timers when it is shut, once what they work on is done', async () => {
    queue.add('a');
    queue.add('b');
    await taken();
    queue.addAfter('c', 100);
    let drained = false;
    const shut = queue.shutDown().then(() => {
      drained = true;
    });
    expect(await queue.take()).toBeUndefined();
    queue.add('d');
    await clock.advance(1000);
    expect([drained, queue.depth, clock.pending]).toEqual([false, 0, 0]);
    queue.done('a');
    await shut;
    expect(await queue.take()).toBeUndefined();
  });

  it('wakes workers that wait when it is shut', async () => {
    const waiting = [queue.take(), queue.take()];
    await queue.shutDown();
    expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
  });

  it('is told of as the work queues of client-go are', async () => {
    const told: unknown[] = [];
    const observer: QueueObserver = {
      added: () => told.push('added'),
      retried: () => told.push('retried'),
      started: (waited) => told.push(['started', waited]),
      finished: (worked) => told.push(['finished', worked]),
    };
    queue = new WorkQueue({ clock, observer });
    queue.add('a');
    queue.add('a');
    await clock.advance(2000);
    await taken();
    queue.add('a');
    await clock.advance(3000);
    expect(queue.unfinished).toEqual([3]);
    queue.done('a');
    await taken();
    queue.retry('a');
    expect(told).toEqual(['added', ['started', 2], 'added', ['finished', 3], ['started', 3], 'retried']);
  });
});

describe('a work queue under any use', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd');
  const step = fc.oneof(
    fc.record({ do: fc.constant('add' as const), key }),
    fc.record({ do: fc.constant('addAfter' as const), key, milliseconds: fc.integer({ min: -5, max: 50 }) }),
    fc.record({ do: fc.constant('retry' as const), key }),
    fc.record({ do: fc.constant('forget' as const), key }),
    fc.record({ do: fc.constant('pass' as const), milliseconds: fc.integer({ min: 0, max: 40 }) }),
  );

  it('never gives a key to two workers, and gives every key out after it was last added', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1 }),
        async (steps, workers, durations) => {
          const clock = new FakeClock();
          const queue = new WorkQueue({ clock, backOff: { base: 5, cap: 100 } });
          const active = new Set<string>();
          /** Key by key: when it has to be worked on at the latest, and when work on it last began. */
          const wanted = new Map<string, number>();
          const begun = new Map<string, number>();
          let turn = 0;
          const work = async () => {
            for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
              expect(active.has(key)).toBe(false);
              active.add(key);
              begun.set(key, turn++);
              const duration = durations[turn % durations.length] ?? 0;
              await new Promise<void>((resolve) => clock.after(duration, resolve));
              active.delete(key);
              queue.done(key);
            }
          };
          const all = Array.from({ length: workers }, work);
          for (const step of steps) {
            if (step.do === 'pass') await clock.advance(step.milliseconds);
            else {
              if (step.do !== 'forget') wanted.set(step.key, turn++);
              if (step.do === 'addAfter') queue.addAfter(step.key, step.milliseconds);
              else queue[step.do](step.key);
            }
          }
          await clock.advance(10_000);
          for (const [key, since] of wanted) expect(begun.get(key) ?? -1).toBeGreaterThan(since);
          await queue.shutDown();
          await Promise.all(all);
          expect([active.size, queue.depth, clock.pending]).toEqual([0, 0, 0]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('serves keys fairly: none waits for more than all others', async () => {
    for (const key of ['a', 'b', 'c']) queue.add(key);
    const order: (string | undefined)[] = [];
    for (let time = 0; time < 7; time++) {
      const key = await taken();
      order.push(key);
      queue.add(key ?? '');
      queue.done(key ?? '');
    }
    expect(order).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a']);
  });
});
