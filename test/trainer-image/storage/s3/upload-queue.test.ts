import { setImmediate } from 'node:timers/promises';
import { DestillError } from '@destillml/core/errors.ts';
import { type KeptFile, type UploadDeps, UploadQueue } from '@destillml/trainer/storage/s3/upload-queue.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

let lastFd = 0;
/** Files of a moment: `version` stands for the state of training at that moment. */
function files(version: number, names = ['best', 'history', 'last']): readonly KeptFile[] {
  return names.map((name) => ({ name, fd: ++lastFd, size: 1, version: `${name}-${version}` }));
}

/** A store that answers when it is told to. */
class Store {
  readonly written: string[] = [];
  readonly said: string[] = [];
  readonly released: number[] = [];
  readonly queue: UploadQueue;
  now = 0;
  copies = true;
  readonly #answers: ((error?: Error) => void)[] = [];
  readonly #pauses: (() => void)[] = [];

  constructor({ patience = 60_000, stored = new Map<string, string>() } = {}) {
    const deps: UploadDeps = {
      patience,
      write: async ({ version }, signal) => {
        await new Promise<void>((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          this.#answers.push((error) => (error ? reject(error) : resolve()));
        });
        this.written.push(version);
      },
      copy: async (from, { name }) => {
        if (!this.copies) throw new Error('501 NotImplemented');
        this.written.push(`${from} → ${name}`);
      },
      release: ({ fd }) => this.released.push(fd),
      wait: (milliseconds, signal) =>
        new Promise<void>((resolve, reject) => {
          if (signal.aborted) reject(signal.reason);
          signal.addEventListener('abort', () => reject(signal.reason));
          this.#pauses.push(() => {
            this.now += milliseconds;
            resolve();
          });
        }),
      now: () => this.now,
      failing: (reason) => this.said.push(`failing: ${reason}`),
      mended: () => this.said.push('mended'),
      lost: (reason, code) => this.said.push(`lost: ${reason} (${code})`),
    };
    this.queue = new UploadQueue(deps, stored);
  }

  /** Answers the write that waits, or ends the pause. */
  async next(error?: string | Error): Promise<boolean> {
    const pause = this.#pauses.shift();
    const answer = this.#answers.shift();
    pause?.();
    answer?.(typeof error === 'string' ? new Error(error) : error);
    await setImmediate();
    return pause !== undefined || answer !== undefined;
  }

  async all(): Promise<void> {
    while (await this.next());
  }
}

describe('the upload queue', () => {
  test('writes the files of a moment in their order, then lets them go', async () => {
    const store = new Store();
    const one = files(1);
    store.queue.add(one);
    await store.next();
    expect(store.written).toEqual(['best-1']);
    expect(store.released).toEqual([]);
    await store.all();
    expect(store.written).toEqual(['best-1', 'history-1', 'last-1']);
    expect(store.released).toEqual(one.map(({ fd }) => fd));
    expect(await store.queue.finish()).toBe(true);
  });

  test('finishes what it has begun, then takes the newest, and passes over those between', async () => {
    const store = new Store();
    for (const version of [1, 2, 3, 4]) store.queue.add(files(version));
    await store.all();
    expect(store.written).toEqual(['best-1', 'history-1', 'last-1', 'best-4', 'history-4', 'last-4']);
    expect(store.released).toHaveLength(12);
  });

  test('does not write again what is there', async () => {
    const store = new Store();
    store.queue.add(files(1));
    await store.all();
    const [best, , ...rest] = files(1);
    store.queue.add([best!, ...files(2, ['history', 'last']), ...rest.slice(1)]);
    await store.all();
    expect(store.written).toEqual(['best-1', 'history-1', 'last-1', 'history-2', 'last-2']);
    expect(store.released).toHaveLength(6);
  });

  test('does not write what an attempt before has left there', async () => {
    const stored = new Map([
      ['best', 'best-1'],
      ['history', 'history-1'],
    ]);
    const store = new Store({ stored });
    store.queue.add([...files(1, ['best']), ...files(2, ['history', 'last'])]);
    await store.all();
    expect(store.written).toEqual(['history-2', 'last-2']);
    expect(store.released).toHaveLength(3);
    expect(stored.get('history')).toBe('history-1');
  });

  test('goes on after an outage with the newest there is, and says so once', async () => {
    const store = new Store();
    store.queue.add(files(1));
    await store.next();
    await store.next('away');
    store.queue.add(files(2));
    await store.next();
    await store.next('still away');
    await store.all();
    expect(store.written).toEqual(['best-1', 'best-2', 'history-2', 'last-2']);
    expect(store.said).toEqual(['failing: away', 'mended']);
    expect(store.released).toHaveLength(6);
  });

  test('gives up when its patience is at an end; what comes after is let go', async () => {
    const store = new Store({ patience: 5_000 });
    store.queue.add(files(1));
    for (let i = 0; i < 9; i++) await store.next('away');
    expect(store.said).toEqual(['failing: away', 'lost: away (StorageUnavailable)']);
    expect(store.now).toBe(3_000);
    expect(await store.queue.finish()).toBe(false);
    store.queue.add(files(2));
    expect(store.released).toHaveLength(6);
    expect(store.written).toEqual([]);
  });

  test('stopped in a write or in a pause, gives up at once and says why', async () => {
    const writing = new Store();
    writing.queue.add(files(1));
    writing.queue.stop();
    expect(await writing.queue.finish()).toBe(false);
    expect(writing.said).toEqual(['lost: The time for uploads is over. (StorageUnavailable)']);
    expect(writing.released).toHaveLength(3);

    const pausing = new Store();
    pausing.queue.add(files(1));
    await pausing.next(new DestillError('StorageFull', 'the bucket is full'));
    pausing.queue.stop();
    expect(await pausing.queue.finish()).toBe(false);
    expect(pausing.said).toEqual(['failing: the bucket is full', 'lost: the bucket is full (StorageFull)']);
  });

  test('whatever fails and whenever it is killed, no checkpoint is there before its history and its best network', async () => {
    const moves = fc.array(fc.constantFrom('add', 'answer', 'fail'), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(moves, async (sequence) => {
        const store = new Store({ patience: Number.POSITIVE_INFINITY });
        let added = 0;
        for (const move of sequence) {
          if (move === 'add') store.queue.add(files(++added));
          else await store.next(move === 'fail' ? 'away' : undefined);
          const newest = (name: string) =>
            Number(store.written.findLast((version) => version.startsWith(name))?.split('-')[1] ?? 0);
          expect(newest('best')).toBeGreaterThanOrEqual(newest('history'));
          expect(newest('history')).toBeGreaterThanOrEqual(newest('last'));
        }
        await store.all();
        if (added > 0) expect(store.written.at(-1)).toBe(`last-${added}`);
        expect(new Set(store.released).size).toBe(3 * added);
        expect(store.released).toHaveLength(3 * added);
      }),
    );
  });
});

test('a file that was renamed is copied in the store before another takes its name', async () => {
  const store = new Store();
  const moment = (contents: Readonly<Record<string, string>>): readonly KeptFile[] =>
    Object.entries(contents).map(([name, version]) => ({ name, fd: ++lastFd, size: 1, version }));
  store.queue.add(moment({ last: 'first' }));
  await store.all();
  store.queue.add(moment({ previous: 'first', last: 'second' }));
  await store.all();
  store.queue.add(moment({ 'last.damaged': 'second', previous: 'first', last: 'third' }));
  await store.all();
  expect(store.written).toEqual(['first', 'last → previous', 'second', 'last → last.damaged', 'third']);
});

test('a store that cannot copy is sent the file again', async () => {
  const store = new Store({ stored: new Map([['last', 'first']]) });
  store.copies = false;
  store.queue.add([{ name: 'previous', fd: ++lastFd, size: 1, version: 'first' }]);
  // The copy is refused before there is a write to answer.
  await setImmediate();
  await store.all();
  expect(store.written).toEqual(['first']);
  expect(store.said).toEqual([]);
});
