import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { ApiClient } from '../../../operator/runtime/api-client.ts';
import { ApiError, ConnectionError } from '../../../operator/runtime/api-error.ts';
import { sleep } from '../../../operator/runtime/clock.ts';
import { LeaderElection } from '../../../operator/runtime/leader-election.ts';
import type { Lease } from '../../../operator/runtime/lease.ts';
import { capturedLog } from './captured-log.ts';
import { FakeClock, settle } from './fake-clock.ts';

/** One lease as the API server keeps it: written only by those who know its latest version. */
class LeaseServer {
  lease: Lease | undefined;
  /** Identities of candidates that cannot reach it. */
  readonly unreachable = new Set<string>();
  readonly clock: FakeClock;
  #version = 0;

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  client(identity: string): Pick<ApiClient, 'get' | 'create' | 'update'> {
    const reach = async (signal: AbortSignal) => {
      // Silence, not refusal: only the candidate's own patience ends it.
      if (this.unreachable.has(identity)) await sleep(this.clock, 1_000_000, signal);
      signal.throwIfAborted();
    };
    return {
      get: async (_resource, _ref, signal) => {
        await reach(signal);
        if (this.lease === undefined) throw new ApiError('GET', 404, { reason: 'NotFound' });
        return structuredClone(this.lease) as never;
      },
      create: async (_resource, object, signal) => {
        await reach(signal);
        if (this.lease !== undefined) throw new ApiError('POST', 409, { reason: 'AlreadyExists' });
        return this.#write(object as Lease) as never;
      },
      update: async (_resource, object, signal) => {
        await reach(signal);
        if (object.metadata.resourceVersion !== this.lease?.metadata.resourceVersion) {
          throw new ApiError('PUT', 409, { reason: 'Conflict' });
        }
        return this.#write(object as Lease) as never;
      },
    };
  }

  #write(lease: Lease): Lease {
    const metadata = { ...lease.metadata, resourceVersion: `${++this.#version}` };
    this.lease = structuredClone({ ...lease, metadata });
    return structuredClone(this.lease);
  }
}

class Candidate {
  readonly election: LeaderElection;
  readonly lines: Readonly<Record<string, unknown>>[];
  readonly changes: boolean[] = [];
  works = false;
  end: string | undefined;
  readonly #stop = new AbortController();
  #run: Promise<void> = Promise.resolve();

  /** @param wall by how many milliseconds its wall clock is wrong */
  constructor(server: LeaseServer, identity: string, wall = 0, random = 0) {
    const { log, lines } = capturedLog();
    this.lines = lines;
    const { clock } = server;
    this.election = new LeaderElection({
      client: server.client(identity),
      lease: { namespace: 'destillml', name: 'operator' },
      identity,
      clock: {
        now: () => clock.now() + wall,
        monotonic: () => clock.monotonic(),
        after: (milliseconds, action) => clock.after(milliseconds, action),
      },
      random: () => random,
      log,
      onChange: (leads) => this.changes.push(leads),
    });
  }

  /** @param lead unless told, it works until it is told to stop */
  start(lead?: (signal: AbortSignal) => Promise<void>): this {
    const work = (signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        this.works = true;
        signal.addEventListener('abort', () => {
          this.works = false;
          resolve();
        });
      });
    this.#run = this.election.run(lead ?? work, this.#stop.signal).then(
      (end) => {
        this.end = end;
      },
      (error: unknown) => {
        this.end = String(error);
      },
    );
    return this;
  }

  stop(): void {
    this.#stop.abort(new Error('stop'));
  }

  ended(): Promise<void> {
    return this.#run;
  }
}

const candidates: Candidate[] = [];
function candidate(...args: ConstructorParameters<typeof Candidate>): Candidate {
  const made = new Candidate(...args);
  candidates.push(made);
  return made;
}
afterEach(async () => {
  for (const one of candidates) one.stop();
  for (const one of candidates.splice(0)) await one.ended();
});

describe('leader election', () => {
  it('takes a lease that nobody has, with what client-go writes', async () => {
    const server = new LeaseServer(new FakeClock());
    const one = candidate(server, 'one').start();
    await settle();
    expect(server.lease?.spec).toEqual({
      holderIdentity: 'one',
      leaseDurationSeconds: 15,
      acquireTime: '2026-11-24T12:00:00.000000Z',
      renewTime: '2026-11-24T12:00:00.000000Z',
      leaseTransitions: 0,
    });
    expect([one.works, one.election.isLeader, one.election.holder]).toEqual([true, true, 'one']);
  });

  it('renews every two seconds, and keeps the others out', async () => {
    const server = new LeaseServer(new FakeClock());
    const one = candidate(server, 'one').start();
    await settle();
    const two = candidate(server, 'two').start();
    await server.clock.advance(120_000);
    expect([one.works, two.works, two.election.holder]).toEqual([true, false, 'one']);
    expect(server.lease?.spec).toMatchObject({
      acquireTime: '2026-11-24T12:00:00.000000Z',
      renewTime: '2026-11-24T12:02:00.000000Z',
      leaseTransitions: 0,
    });
  });

  it('hands over at once when the leader stops, after its work has ended', async () => {
    const server = new LeaseServer(new FakeClock());
    const one = candidate(server, 'one').start();
    await settle();
    const two = candidate(server, 'two').start();
    await server.clock.advance(5_000);
    one.stop();
    await one.ended();
    expect([one.end, one.changes, one.election.isLeader]).toEqual(['stopped', [true, false], false]);
    expect(server.lease?.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    await server.clock.advance(2_000);
    expect(two.works).toBe(true);
    expect(server.lease?.spec).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
  });

  it('holds and renews the lease until the work of a leader that stops has ended', async () => {
    const server = new LeaseServer(new FakeClock());
    const slow = candidate(server, 'slow').start(
      (signal) =>
        new Promise((resolve) => signal.addEventListener('abort', () => server.clock.after(60_000, resolve))),
    );
    const two = candidate(server, 'two').start();
    await server.clock.advance(1_000);
    slow.stop();
    await server.clock.advance(59_000);
    expect([slow.end, two.works]).toEqual([undefined, false]);
    await server.clock.advance(5_000);
    expect([slow.end, two.works]).toEqual(['stopped', true]);
  });

  it('hands over when the leader dies, once its lease has run out', async () => {
    const server = new LeaseServer(new FakeClock());
    server.lease = {
      metadata: { name: 'operator', namespace: 'destillml', resourceVersion: '7' },
      spec: {
        holderIdentity: 'dead',
        leaseDurationSeconds: 15,
        acquireTime: '2020-01-01T00:00:00.000000Z',
        renewTime: '2020-01-01T00:00:00.000000Z',
        leaseTransitions: 4,
      },
    };
    const heir = candidate(server, 'heir').start();
    await server.clock.advance(14_000);
    expect(heir.works).toBe(false);
    await server.clock.advance(2_000);
    expect(heir.works).toBe(true);
    expect(server.lease.spec).toMatchObject({ holderIdentity: 'heir', leaseTransitions: 5 });
  });

  it.each([-86_400_000, 86_400_000])(
    'does not care for a wall clock that is wrong by %i ms',
    async (wall) => {
      const server = new LeaseServer(new FakeClock());
      const one = candidate(server, 'one', wall).start();
      await settle();
      const two = candidate(server, 'two').start();
      await server.clock.advance(60_000);
      expect([one.works, two.works]).toEqual([true, false]);
      one.stop();
      await server.clock.advance(5_000);
      expect(two.works).toBe(true);
    },
  );

  it('ends its work before the others may lead, when the API server is silent', async () => {
    const server = new LeaseServer(new FakeClock());
    const one = candidate(server, 'one').start();
    await settle();
    const two = candidate(server, 'two').start();
    await server.clock.advance(3_000);
    server.unreachable.add('one');
    let both = false;
    let stoppedAt = 0;
    let ledAt = 0;
    for (let time = 0; time < 300 && ledAt === 0; time++) {
      await server.clock.advance(100);
      both ||= one.works && two.works;
      if (!one.works && stoppedAt === 0) stoppedAt = server.clock.monotonic();
      if (two.works) ledAt = server.clock.monotonic();
    }
    expect([one.end, one.changes, both]).toEqual(['lost', [true, false], false]);
    // Last renewed at 2 s: the leader's patience ends 10 s later, that of the others after 15 s.
    expect(stoppedAt).toBe(12_000);
    expect(ledAt).toBeGreaterThan(17_000);
    expect(one.lines).toContainEqual(expect.objectContaining({ level: 50, msg: 'no longer leading' }));
    expect(server.lease?.spec).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
  });

  it('knows that it no longer leads in the very moment that a machine that stood still goes on', async () => {
    const server = new LeaseServer(new FakeClock());
    const one = candidate(server, 'one').start();
    await settle();
    server.clock.freeze(60_000);
    expect(one.election.isLeader).toBe(false);
    await server.clock.advance(0);
    expect([one.works, one.end]).toEqual([false, 'lost']);
  });

  it('is lost at once to somebody who took the lease', async () => {
    const server = new LeaseServer(new FakeClock());
    const one = candidate(server, 'one').start();
    await settle();
    const lease = server.lease ?? { metadata: { name: 'operator' } };
    server.lease = { ...lease, spec: { ...lease.spec, holderIdentity: 'thief' } };
    await server.clock.advance(2_000);
    expect([one.works, one.end, server.lease.spec?.holderIdentity]).toEqual([false, 'lost', 'thief']);
  });

  it('goes on leading when the lease was deleted', async () => {
    const server = new LeaseServer(new FakeClock());
    const one = candidate(server, 'one').start();
    await settle();
    server.lease = undefined;
    await server.clock.advance(2_000);
    expect([one.works, server.lease]).toMatchObject([true, { spec: { holderIdentity: 'one' } }]);
  });

  it('releases the lease when its work fails, and fails with it', async () => {
    const server = new LeaseServer(new FakeClock());
    const one = candidate(server, 'one').start(() => Promise.reject(new Error('broken')));
    await one.ended();
    expect([one.end, server.lease?.spec?.holderIdentity, one.changes]).toEqual([
      'Error: broken',
      '',
      [true, false],
    ]);
  });

  it('stops while it waits, and leaves the lease alone', async () => {
    const server = new LeaseServer(new FakeClock());
    candidate(server, 'one').start();
    await settle();
    const two = candidate(server, 'two').start();
    await settle();
    two.stop();
    await two.ended();
    expect([two.end, two.changes, server.lease?.spec?.holderIdentity]).toEqual(['stopped', [], 'one']);
  });

  it('tells of an API server that refuses, and goes on trying', async () => {
    const server = new LeaseServer(new FakeClock());
    const refuse = () => Promise.reject(new ConnectionError('GET', 'connect ECONNREFUSED'));
    const { log, lines } = capturedLog();
    const stop = new AbortController();
    const election = new LeaderElection({
      client: { get: refuse, create: refuse, update: refuse },
      lease: { namespace: 'destillml', name: 'operator' },
      identity: 'one',
      clock: server.clock,
      random: () => 0.5,
      log,
    });
    const run = election.run(() => Promise.resolve(), stop.signal);
    await server.clock.advance(2_000 * 1.6 * 2);
    expect(lines).toHaveLength(3);
    stop.abort();
    expect(await run).toBe('stopped');
    expect(server.clock.pending).toBe(0);
  });
});

describe('leader election, whatever happens', () => {
  const who = fc.nat(2);
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom('cut' as const, 'mend' as const), who }),
    fc.record({ do: fc.constant('pass' as const), seconds: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ do: fc.constant('stop' as const), who }),
  );

  it('never lets two lead at once, and always one in the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 15 }),
        fc.array(fc.double({ min: 0, max: 0.99, noNaN: true }), { minLength: 4, maxLength: 4 }),
        async (steps, randoms) => {
          const server = new LeaseServer(new FakeClock());
          const all = randoms.map((random, index) =>
            candidate(server, `${index}`, (random - 0.5) * 1e7, random).start(),
          );
          const pass = async (seconds: number) => {
            for (let second = 0; second < seconds; second++) {
              await server.clock.advance(1000);
              expect(all.filter(({ works }) => works).length).toBeLessThanOrEqual(1);
            }
          };
          for (const step of steps) {
            if (step.do === 'pass') await pass(step.seconds);
            else if (step.do === 'stop') all[step.who]?.stop();
            else if (step.do === 'cut') server.unreachable.add(`${step.who}`);
            else server.unreachable.delete(`${step.who}`);
          }
          // The last one is never stopped nor cut off.
          server.unreachable.clear();
          await pass(40);
          expect(all.filter(({ works }) => works)).toHaveLength(1);
          for (const one of all) one.stop();
          await pass(20);
        },
      ),
      { numRuns: 40 },
    );
  });
});
