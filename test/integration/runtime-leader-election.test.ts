import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../operator/runtime/clock.ts';
import { LeaderElection } from '../../operator/runtime/leader-election.ts';
import { leases } from '../../operator/runtime/lease.ts';
import { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { clientOn, connect } from './runtime-fixtures.ts';

const access = inject('controlPlane');
const admin = new Client(access);
const connection = connect(access);
const client = clientOn(connection);
let namespace: string;

beforeEach(async () => {
  namespace = await admin.newNamespace('election');
});
afterAll(() => {
  connection.close();
  admin.close();
});

class Candidate {
  readonly election: LeaderElection;
  readonly #stop = new AbortController();
  readonly #run: Promise<unknown>;
  works = false;

  constructor(identity: string) {
    this.election = new LeaderElection({
      client,
      lease: { namespace, name: 'operator' },
      identity,
      times: { lease: 3_000, renewDeadline: 2_000, retry: 400 },
      clock: systemClock,
      random: Math.random,
      log: pino({ level: 'silent' }),
    });
    this.#run = this.election.run(async (signal) => {
      this.works = true;
      await once(signal, 'abort');
      this.works = false;
    }, this.#stop.signal);
  }

  async leads(): Promise<void> {
    await waitFor('the candidate to lead', () => (this.works ? true : undefined));
  }

  async stop(): Promise<unknown> {
    this.#stop.abort();
    return await this.#run;
  }
}

function lease() {
  return client.get(leases, { namespace, name: 'operator' }, new AbortController().signal);
}

describe('leader election on the API server', () => {
  it('hands over from a leader that stops to the one that waits', async () => {
    const one = new Candidate('one');
    await one.leads();
    const two = new Candidate('two');
    await waitFor('the other one to see the leader', () => two.election.holder === 'one' || undefined);
    expect(two.works).toBe(false);
    expect(await one.stop()).toBe('stopped');
    await two.leads();
    expect((await lease()).spec).toMatchObject({
      holderIdentity: 'two',
      leaseDurationSeconds: 3,
      leaseTransitions: 1,
      renewTime: expect.stringMatching(/\.\d{6}Z$/),
    });
    await two.stop();
    expect((await lease()).spec?.holderIdentity).toBe('');
  });

  it('hands over from a leader that is killed, once its lease has run out', async () => {
    const program = join(import.meta.dirname, 'election-candidate/main.ts');
    const killed = spawn(process.execPath, [program, access.kubeconfig, namespace, 'killed'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(killed.stdout, 'data');
    const heir = new Candidate('heir');
    await waitFor('the heir to see the leader', () => heir.election.holder === 'killed' || undefined);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const renewed = (await lease()).spec?.renewTime;
    await heir.leads();
    const { spec } = await lease();
    expect(spec).toMatchObject({ holderIdentity: 'heir', leaseTransitions: 1 });
    expect(Date.parse(spec?.acquireTime ?? '') - Date.parse(renewed ?? '')).toBeGreaterThanOrEqual(3_000);
    await heir.stop();
  });

  it('elects one of many that begin at once', async () => {
    const all = Array.from({ length: 5 }, (_, index) => new Candidate(`${index}`));
    const leader = await waitFor('a leader', () => all.find(({ works }) => works));
    await waitFor('all to know it', () => all.every(({ election }) => election.holder !== '') || undefined);
    expect(all.filter(({ works }) => works)).toEqual([leader]);
    await Promise.all(all.map((one) => one.stop()));
  });
});
