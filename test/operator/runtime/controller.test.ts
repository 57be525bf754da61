import { beforeEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../../operator/runtime/api-error.ts';
import { Cache, type Change } from '../../../operator/runtime/cache.ts';
import {
  type ControllerOptions,
  itsController,
  itself,
  type Reconcile,
  runController,
  watching,
} from '../../../operator/runtime/controller.ts';
import { ListWatch } from '../../../operator/runtime/list-watch.ts';
import { WorkQueue } from '../../../operator/runtime/work-queue.ts';
import { capturedLog } from './captured-log.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { ModelServer } from './model-server.ts';
import { type Thing, thing, things } from './things.ts';

/** A controller of things, running against a model of the API server. */
class Running {
  readonly server = new ModelServer();
  readonly clock = new FakeClock();
  readonly reconciled: string[] = [];
  readonly outcomes: string[] = [];
  readonly lines: Readonly<Record<string, unknown>>[];
  relists = 0;
  readonly queue = new WorkQueue({ clock: this.clock });
  readonly #stop = new AbortController();
  readonly #listWatch: ListWatch<Thing>;
  readonly #options: ControllerOptions;
  #end: Promise<unknown> = Promise.resolve();

  constructor(reconcile: Reconcile = async () => ({}), workers = 1) {
    const { log, lines } = capturedLog();
    this.lines = lines;
    const cache = new Cache<Thing>({ onHandlerError: (error) => log.error(error) });
    this.#listWatch = new ListWatch({
      client: this.server.client(),
      resource: things,
      cache,
      clock: this.clock,
      random: () => 0,
    });
    this.#options = {
      name: 'thing',
      sources: [watching(this.#listWatch, itself)],
      reconcile: async (key, signal) => {
        this.reconciled.push(key);
        return await reconcile(key, signal);
      },
      queue: this.queue,
      workers,
      log,
      monotonic: () => this.clock.monotonic(),
      onEndlessConflicts: () => {
        this.relists += 1;
      },
      observer: { started: () => undefined, finished: (outcome) => this.outcomes.push(outcome) },
    };
  }

  async start(): Promise<void> {
    const controller = runController(this.#options, this.#stop.signal);
    await settle();
    this.#end = Promise.all([this.#listWatch.run(this.#stop.signal), controller]);
    await settle();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('stop'));
    await this.#end;
  }
}

const conflict = new ApiError('PUT things', 409, { reason: 'Conflict', message: 'changed' });

describe('a controller', () => {
  it('begins when its sources are synced, and reconciles what is there and what changes', async () => {
    const running = new Running();
    running.server.write('a', 1);
    running.server.failures.push(new Error('not yet'));
    await running.start();
    running.queue.add('lab/b');
    await settle();
    expect(running.reconciled).toEqual([]);
    await running.clock.advance(800);
    expect(running.reconciled).toEqual(['lab/b', 'lab/a']);
    running.server.write('a', 2);
    await settle();
    running.server.remove('a');
    await settle();
    expect(running.reconciled).toEqual(['lab/b', 'lab/a', 'lab/a', 'lab/a']);
    expect(running.outcomes).toEqual(['success', 'success', 'success', 'success']);
    await running.stop();
  });

  it('logs an error once, tries again ever later, and is quick again after a success', async () => {
    let failures = 3;
    const running = new Running(async () => {
      if (failures-- > 0) throw new Error('broken');
      return {};
    });
    running.server.write('a', 1);
    await running.start();
    await running.clock.advance(5 + 10 + 20);
    expect(running.outcomes).toEqual(['error', 'error', 'error', 'success']);
    expect(running.lines).toHaveLength(3);
    expect(running.lines[2]).toMatchObject({
      level: 50,
      controller: 'thing',
      namespace: 'lab',
      name: 'a',
      failures: 2,
      err: { type: 'Error', message: 'broken' },
      msg: 'reconcile failed',
    });
    expect(running.queue.failures('lab/a')).toBe(0);
    await running.stop();
  });

  it('takes a conflict for a reason to try again, not for an error', async () => {
    let conflicts = 1;
    const running = new Running(async () => {
      if (conflicts-- > 0) throw conflict;
      return {};
    });
    running.server.write('a', 1);
    await running.start();
    await running.clock.advance(5);
    expect(running.outcomes).toEqual(['requeue', 'success']);
    expect(running.lines).toEqual([]);
    await running.stop();
  });

  it('says when conflicts do not end, and has everything listed again', async () => {
    const running = new Running(async () => {
      throw conflict;
    });
    running.server.write('a', 1);
    await running.start();
    await running.clock.advance(20_000);
    // Whatever else happens to it meanwhile: it is time that counts.
    expect([running.lines, running.relists]).toEqual([[], 0]);
    await running.clock.advance(1_000);
    expect(running.lines).toMatchObject([
      {
        level: 40,
        controller: 'thing',
        name: 'a',
        failures: 13,
        msg: 'conflicts do not end: everything is listed again',
      },
    ]);
    expect(running.relists).toBe(1);
    await running.stop();
  });

  it('tries again ever later what was refused and told of, which is no error', async () => {
    let refusals = 3;
    const running = new Running(async () => ({ retry: refusals-- > 0 }));
    running.server.write('a', 1);
    await running.start();
    await running.clock.advance(5 + 10 + 19);
    expect(running.outcomes).toEqual(['requeue', 'requeue', 'requeue']);
    await running.clock.advance(1);
    expect(running.outcomes.at(-1)).toBe('success');
    expect(running.lines).toEqual([]);
    expect(running.queue.failures('lab/a')).toBe(0);
    await running.stop();
  });

  it('looks again when it was asked to', async () => {
    const running = new Running(async () => ({ requeueAfter: 60_000 }));
    running.server.write('a', 1);
    await running.start();
    await running.clock.advance(59_999);
    expect(running.reconciled).toHaveLength(1);
    await running.clock.advance(1);
    expect(running.reconciled).toHaveLength(2);
    expect(running.outcomes).toEqual(['requeue_after', 'requeue_after']);
    await running.stop();
  });

  it('reconciles as many objects at a time as it has workers', async () => {
    let active = 0;
    let most = 0;
    const running: Running = new Running(async () => {
      active += 1;
      most = Math.max(most, active);
      await new Promise<void>((resolve) => running.clock.after(10, resolve));
      active -= 1;
      return {};
    }, 3);
    for (const name of ['a', 'b', 'c', 'd', 'e']) running.server.write(name, 1);
    await running.start();
    await running.clock.advance(100);
    expect([most, running.reconciled.length]).toEqual([3, 5]);
    await running.stop();
  });

  it('stops when the reconciles that run have ended, and does not take that for an error', async () => {
    const running = new Running(
      (_key, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    running.server.write('a', 1);
    running.server.write('b', 1);
    await running.start();
    await running.stop();
    expect(running.reconciled).toEqual(['lab/a']);
    expect(running.lines).toEqual([]);
    expect(running.clock.pending).toBe(0);
  });

  it('stops also while its sources are not synced', async () => {
    const running = new Running();
    running.server.failures.push(new Error('never'));
    await running.start();
    await running.stop();
    expect([running.reconciled, running.clock.pending]).toEqual([[], 0]);
  });
});

describe('itsController', () => {
  let owned: Thing;
  beforeEach(() => {
    const owner = (kind: string, name: string, controller: boolean) => ({
      apiVersion: 'v1',
      kind,
      name,
      uid: name,
      controller,
    });
    owned = thing('a', 1, {
      ownerReferences: [owner('Run', 'one', true), owner('Run', 'two', false), owner('Other', 'three', true)],
    });
  });

  it.each<[string, (thing: Thing) => Change<Thing>, string[]]>([
    ['added', (object) => ({ type: 'added', object }), ['lab/one']],
    ['deleted', (object) => ({ type: 'deleted', object }), ['lab/one']],
    ['given up', (old) => ({ type: 'updated', old, object: thing('a', 2) }), ['lab/one']],
    ['never owned', () => ({ type: 'added', object: thing('a', 2) }), []],
  ])('is named when the object is %s', (_case, change, keys) => {
    expect(itsController('Run')(change(owned))).toEqual(keys);
  });
});
