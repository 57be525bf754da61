import { request } from 'node:https';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { experiment } from './operator-fixtures.ts';
import { openLab, type TestLab } from './operator-lab.ts';
import { SeveredProxy } from './severed-proxy.ts';

const client = new Client(inject('controlPlane'));
afterAll(() => client.close());

/** How long nothing has to happen, in milliseconds: longer than any pause between two writes of a kind. */
const still = 4_000;

/** Waits until the number has stayed the same for a while. @returns it */
async function settled(what: string, count: () => Promise<number> | number): Promise<number> {
  let last = { value: Number.NaN, since: 0 };
  return await waitFor(what, async () => {
    const value = await count();
    if (value !== last.value) last = { value, since: performance.now() };
    return performance.now() - last.since > still ? value : undefined;
  });
}

/** Reconciles so far, by the operator's own metrics. */
async function reconciles({ operator }: TestLab): Promise<number> {
  const text = await new Promise<string>((resolve, reject) => {
    const options = {
      port: operator.server.port,
      path: '/metrics',
      rejectUnauthorized: false,
      headers: { authorization: `Bearer ${client.access.tokens.admin}` },
    };
    request(options, async (answer) => resolve((await answer.toArray()).join('')))
      .once('error', reject)
      .end();
  });
  const lines = text.split('\n').filter((line) => line.startsWith('controller_runtime_reconcile_total{'));
  expect(lines).not.toEqual([]);
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const count = (writes: readonly string[], kind: string) => writes.filter((write) => write === kind).length;

describe('the writes of the operator', () => {
  it('are few for each Run, and none once an Experiment has ended', async (context) => {
    const proxy = await SeveredProxy.open(client.access);
    const here = await openLab(context, client, { kubeconfig: proxy.kubeconfig });
    context.onTestFinished(() => proxy.close());
    here.play();
    const arms = ['a', 'b', 'c'].map((name) => ({ name, softTargets: {} }));
    const began = performance.now();
    await here.apply(experiment('study', { distillation: arms, seeds: [1, 2], parallelism: 4 }));
    const done = await here.ended('study');
    await here.quiet();
    const seconds = (performance.now() - began) / 1000;
    const { writes } = proxy;
    await settled('the writes to end', () => writes.length);
    await settled('the reconciles to end', () => reconciles(here));

    const runs = await here.runs();
    expect(runs).toHaveLength(9);
    expect(await here.experiment('study')).toEqual(done);
    expect(count(writes, 'POST runs')).toBe(9);
    expect(count(writes, 'POST jobs')).toBe(9);
    expect(count(writes, 'DELETE jobs')).toBe(0);
    // Those that had to wait for their turn.
    expect(count(writes, 'PATCH runs')).toBeLessThanOrEqual(9 - 4 + 3);
    // Where it stands after some seconds, that it trains, how it ended.
    expect(count(writes, 'PATCH runs/status')).toBeLessThanOrEqual(9 * 3);
    // One a second for its counts, and what is news.
    expect(count(writes, 'PATCH experiments/status')).toBeLessThanOrEqual(seconds + 6);
    console.log(
      Object.groupBy(writes, (w) => w),
      seconds,
    );
  });

  it('are none while a Run waits for what does not come', async (context) => {
    const proxy = await SeveredProxy.open(client.access);
    const here = await openLab(context, client, { kubeconfig: proxy.kubeconfig });
    context.onTestFinished(() => proxy.close());
    await here.apply(
      experiment('study', { distillation: [], pod: { gpus: 0, serviceAccountName: 'missing' } }),
    );
    await here.phase('baseline', 'Queued', 'PodRefused');
    await here.phase('teacher', 'Queued', 'PodRefused');
    await settled('the writes to end', () => proxy.writes.length);
    const before = proxy.writes.length;
    // The Job controller tries again, and tells of it by Events.
    await settled('the reconciles to end', () => reconciles(here));
    expect(proxy.writes.length).toBe(before);
  });
});
