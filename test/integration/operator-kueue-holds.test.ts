import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { type ClusterWithKueue, startWithKueue } from '../cluster/kueue-server.ts';
import { waitFor } from '../cluster/wait.ts';
import { KueueLab, queuedStudy } from './kueue-lab.ts';
import { conditionsOf } from './operator-lab.ts';

/** Of these tests alone: on the shared control plane there is no Kueue. */
let cluster: ClusterWithKueue;

beforeAll(async () => {
  cluster = await startWithKueue();
});
afterAll(() => cluster?.stop());

const open = (context: TestContext, options?: Parameters<typeof KueueLab.open>[2]) =>
  KueueLab.open(context, cluster.controlPlane.client, options);

describe.concurrent('a Run that trains', () => {
  it('gives way where its queue is drained, which is no failure, and goes on once that is over', async (context) => {
    const lab = await open(context, { gpus: 2 });
    const { here } = lab;
    await here.apply(queuedStudy({ retries: 0 }));
    const pod = await here.train('teacher');
    await lab.changeQueue({ stopPolicy: 'HoldAndDrain' });
    await here.kubelet.toldToGo(pod);
    await here.kubelet.remove(pod);
    const waits = await here.phase('teacher', 'Queued', 'QueueInactive');
    expect(waits.status?.message).toMatch(/It is stopped/);
    expect(waits.status).toMatchObject({ preemptions: 1 });
    await lab.changeQueue({ stopPolicy: 'None' });
    await here.train('teacher');
    const { status } = await here.run('teacher');
    expect(status).toMatchObject({ attempts: 2, preemptions: 1 });
    expect(status?.failures ?? 0).toBe(0);
  });

  it('is held where somebody deactivates its Workload, and goes on once it is active again', async (context) => {
    const lab = await open(context, { gpus: 2 });
    const { here } = lab;
    await here.apply(queuedStudy({ retries: 0 }));
    const pod = await here.train('teacher');
    const { name } = (await here.run('teacher')).metadata;
    await lab.activate(name, false);
    await here.kubelet.toldToGo(pod);
    await here.kubelet.remove(pod);
    const held = await here.phase('teacher', 'Queued', 'Held');
    expect(held.status?.message).toMatch(/active/);
    expect(conditionsOf(held).Progressing).toMatch(/^False Held: /);
    await lab.activate(name, true);
    await here.train('teacher');
    expect((await here.run('teacher')).status?.failures ?? 0).toBe(0);
  });
});

// A GPU for each of their Runs: Kueue parks what it could not admit once, and what comes later may pass it.
describe.concurrent('a queue', () => {
  it('that is missing is said to be, and used once it is made', async (context) => {
    const lab = await open(context, { gpus: 2 });
    const { here } = lab;
    await here.apply(queuedStudy({ queue: 'later' }));
    await here.until('study', 'to miss the queue', (it) =>
      Boolean(conditionsOf(it).PrerequisitesMet?.startsWith('False LocalQueueNotFound: ')),
    );
    await lab.localQueue('later');
    await here.train('teacher');
    expect(conditionsOf(await here.experiment('study')).PrerequisitesMet).toMatch(/^True/);
  });

  it('that a Run waits in may be changed for another one', async (context) => {
    const lab = await open(context, { gpus: 2 });
    const { here } = lab;
    const rivals = ['one', 'two'];
    const leave = await Promise.all(rivals.map((name) => lab.rival(name)));
    await Promise.all(rivals.map((name) => lab.admitted(name)));
    await here.apply(queuedStudy());
    await here.phase('teacher', 'Queued');
    await lab.localQueue('second');
    await here.change('experiments', 'study', { queue: 'second' });
    const { name } = (await here.run('teacher')).metadata;
    await waitFor('its Job to be in the other queue', async () => {
      const job = await here.job(name).catch(() => undefined);
      return job?.metadata.labels?.['kueue.x-k8s.io/queue-name'] === 'second' || undefined;
    });
    for (const end of leave) await end();
    await here.train('teacher');
  });
});
