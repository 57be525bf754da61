import { afterAll, describe, expect, inject, it, type TestContext } from 'vitest';
import { trainerState } from '../../operator/jobs/pod.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { experiment, runOperatorBy } from './operator-fixtures.ts';
import { restrictedNamespace, TestLab } from './operator-lab.ts';

const client = new Client(inject('controlPlane'));
afterAll(() => client.close());

/** A lab whose operator runs on a machine that somebody sets the clock of. */
async function openLabBy(context: TestContext, ahead: number) {
  const namespace = await restrictedNamespace(client, 'clocks');
  let by = ahead;
  const clock = { ...systemClock, now: () => Date.now() + by * 1000 };
  const operator = await runOperatorBy(clock, client.access.kubeconfig, [namespace]);
  context.onTestFinished(() => operator.stop());
  const setClock = (seconds: number) => {
    by = seconds;
  };
  return { here: new TestLab(context, client, namespace, operator), setClock };
}

const alone = experiment('study', { distillation: [], pod: { gpus: 1 } });

describe.concurrent('an operator whose clock is not the cluster’s', () => {
  it.for([
    ['ten minutes behind', -600],
    ['ten minutes ahead', 600],
    ['a day ahead', 86_400],
  ] as const)('%s sees what happens as it happens, and counts what was used', async ([, ahead], context) => {
    const { here } = await openLabBy(context, ahead);
    await here.apply(alone);
    const started = performance.now();
    const pod = await here.train('teacher');
    expect(performance.now() - started).toBeLessThan(30_000);
    await here.kubelet.succeed(pod);
    const { status } = await here.phase('teacher', 'Succeeded', 'Trained');
    expect(status?.gpuSeconds).toBeLessThan(60);
    const completed = Date.parse(String(status?.completionTime));
    expect(Math.abs(completed - Date.now())).toBeLessThan(60_000);
    const { conditions = [] } = (await here.experiment('study')).status ?? {};
    for (const { lastTransitionTime } of conditions) {
      expect(Math.abs(Date.parse(String(lastTransitionTime)) - Date.now())).toBeLessThan(60_000);
    }
    expect(here.operator.complaints).toEqual([
      expect.objectContaining({ msg: expect.stringMatching(/^the clock of this machine differs/) }),
    ]);
    expect(Number(here.operator.complaints[0]?.seconds)).toBeCloseTo(ahead, -1);
  });

  it('that jumps by a day and back counts no day', async (context) => {
    const { here, setClock } = await openLabBy(context, 0);
    await here.apply(alone);
    const pod = await here.train('teacher');
    setClock(86_400);
    // Whatever changes of the pod has it counted anew.
    await client.send(
      'PATCH',
      `/api/v1/namespaces/${here.namespace}/pods/${pod.metadata.name}`,
      { metadata: { annotations: { touched: 'true' } } },
      { contentType: 'application/merge-patch+json' },
    );
    await waitFor('the skew to be told of', async () => here.operator.complaints.length > 0 || undefined);
    expect((await here.run('teacher')).status?.gpuSeconds).toBe(0);
    setClock(0);
    const ended = await here.kubelet.succeed(pod);
    const { status } = await here.phase('teacher', 'Succeeded', 'Trained');
    const { startedAt, finishedAt } = trainerState(ended)?.terminated ?? {};
    const seconds = (Date.parse(String(finishedAt)) - Date.parse(String(startedAt))) / 1000;
    expect(status?.gpuSeconds).toBe(seconds);
  });
});
