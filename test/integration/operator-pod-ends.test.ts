import { afterAll, describe, expect, inject, it, type TestContext } from 'vitest';
import type { Pod } from '../../operator/jobs/objects.ts';
import { trainerState } from '../../operator/jobs/pod.ts';
import { Client } from '../cluster/client.ts';
import type { Failure } from '../cluster/pod-status.ts';
import { waitFor } from '../cluster/wait.ts';
import { experiment, runOperator, startOperator } from './operator-fixtures.ts';
import { conditionsOf, openLab, type TestLab } from './operator-lab.ts';

const client = new Client(inject('controlPlane'));
afterAll(() => client.close());

/** A Run that trains with 2 GPUs, and would not be tried again after a failure. */
async function training(context: TestContext, pod: object = {}): Promise<[TestLab, Pod]> {
  const here = await openLab(context, client);
  const spec = { distillation: [], retries: 0, pod: { gpus: 2, ...pod } };
  await here.apply(experiment('study', spec));
  return [here, await here.train('teacher')];
}

/** Waits until GPU time can be told from none. */
async function someSeconds(pod: Pod): Promise<void> {
  const start = Date.parse(String(trainerState(pod)?.running?.startedAt));
  await waitFor('some seconds of training', () => Date.now() - start > 2_500 || undefined);
}

/** GPU seconds by the times that the kubelet wrote. */
function gpuSeconds(pod: Pod): number {
  const { startedAt, finishedAt } = trainerState(pod)?.terminated ?? {};
  return (2 * (Date.parse(String(finishedAt)) - Date.parse(String(startedAt)))) / 1000;
}

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

describe.concurrent('a Run whose pod', () => {
  it('succeeds has its result, its GPU time and its times', async (context) => {
    const [here, pod] = await training(context);
    await someSeconds(pod);
    const ended = await here.kubelet.succeed(pod);
    const { status, metadata } = await here.phase('teacher', 'Succeeded', 'Trained');
    expect(gpuSeconds(ended)).toBeGreaterThanOrEqual(4);
    expect(status).toEqual({
      observedGeneration: metadata.generation,
      phase: 'Succeeded',
      reason: 'Trained',
      message: 'Trained for 10 epochs; test accuracy 75.61 % with the weights of epoch 9.',
      conditions: expect.any(Array),
      result: expect.objectContaining({ testAccuracy: 0.7561, bestEpoch: 9 }),
      attempts: 1,
      preemptions: 0,
      gpuSeconds: gpuSeconds(ended),
      pods: [
        {
          uid: pod.metadata.uid,
          name: pod.metadata.name,
          node: 'gpu-1',
          startTime: trainerState(pod)?.running?.startedAt,
          endTime: trainerState(ended)?.terminated?.finishedAt,
          gpuSeconds: gpuSeconds(ended),
          outcome: 'Succeeded',
        },
      ],
      startTime: expect.stringMatching(isoTime),
      completionTime: trainerState(ended)?.terminated?.finishedAt,
    });
    await here.until('study', 'to have the sum', (it) => it.status?.gpuSeconds === gpuSeconds(ended));
  });

  it.for([
    ['leaves no message', '', 'is missing'],
    ['leaves another message', 'Done!', 'is not JSON'],
  ] as const)('succeeds and %s has its result read by another pod', async ([, message, what], context) => {
    const [here, pod] = await training(context);
    const { name } = (await here.run('teacher')).metadata;
    const job = await here.job(name);
    await here.kubelet.succeed(pod, message);
    const told = (await here.told(name, 'ResultUnread')).find(({ reason }) => reason === 'ResultUnread');
    expect(told).toMatchObject({
      type: 'Warning',
      note: `The trainer ended well, but its termination message ${what}, so its result is not known here. Another pod reads it from result.json of ${here.namespace}/study/${name} on PersistentVolumeClaim experiments; what is done is not done twice.`,
    });
    await here.kubelet.gone(pod);
    await here.kubelet.succeed(await here.train('teacher'));
    const { status } = await here.phase('teacher', 'Succeeded', 'Trained');
    expect(status).toMatchObject({ attempts: 2, preemptions: 0, result: { testAccuracy: 0.7561 } });
    expect(conditionsOf({ status }).ResultUnread).toMatch(/^False Trained: /);
    const other = await here.job(name);
    expect(other.metadata.uid).not.toBe(job.metadata.uid);
    expect(other.metadata.annotations?.['destillml.io/reads-result']).toBe('true');
  });

  it('leaves no message twice leaves its Run open, until somebody has it read again', async (context) => {
    const [here, pod] = await training(context);
    await here.kubelet.succeed(pod, '');
    await here.kubelet.gone(pod);
    await here.kubelet.succeed(await here.train('teacher'), '');
    const blocked = await waitFor('the Run to be blocked', async () => {
      const run = await here.run('teacher');
      return conditionsOf(run).Progressing?.startsWith('False ResultUnread') ? run : undefined;
    });
    const { name } = blocked.metadata;
    expect(blocked.status?.message).toMatch(new RegExp(`kubectl delete job -n ${here.namespace} ${name}$`));
    expect(conditionsOf(await here.experiment('study')).Complete).toMatch(/^False/);

    await here.deleteJob(name, 'Foreground');
    await here.kubelet.succeed(await here.train('teacher'));
    const { status } = await here.phase('teacher', 'Succeeded', 'Trained');
    expect(status).toMatchObject({ attempts: 3, result: { testAccuracy: 0.7561 } });
  });

  it('has gone with its word while the operator was away has its result read by another pod', async (context) => {
    const [here, pod] = await training(context);
    await here.operator.stop();
    await here.kubelet.succeed(pod);
    const { name } = (await here.run('teacher')).metadata;
    await waitFor('the Job to be complete', async () => {
      const { conditions = [] } = (await here.job(name)).status ?? {};
      return conditions.some(({ type }) => type === 'Complete') || undefined;
    });
    await client.send('DELETE', `/api/v1/namespaces/${here.namespace}/pods/${pod.metadata.name}`);
    await here.kubelet.gone(pod);
    await startOperator(client.access.kubeconfig, [here.namespace]);
    await here.told(name, 'ResultUnread');
    await here.kubelet.succeed(await here.train('teacher'));
    const { status } = await here.phase('teacher', 'Succeeded', 'Trained');
    expect(status?.result).toMatchObject({ testAccuracy: 0.7561 });
  });

  const failures: Readonly<Record<string, [failure: Failure, pod: object, reason: string, message: RegExp]>> =
    {
      'exits with code 1 without a word': [
        { exitCode: 1 },
        {},
        'UnreadableTerminationMessage',
        /^The trainer exited with code 1, and its termination message is missing\. See kubectl logs -n lab-\w+ study-teacher-\S+\. No attempt is left \(spec\.retries is 0\)\.$/,
      ],
      'is killed by a signal': [
        { exitCode: 139 },
        {},
        'UnreadableTerminationMessage',
        /^The trainer exited with code 139 \(SIGSEGV: /,
      ],
      'uses more memory than its limit': [
        { exitCode: 137, reason: 'OOMKilled' },
        { resources: { limits: { memory: '16Gi' } } },
        'OutOfMemory',
        /^The trainer was killed for using more than its memory limit of 16Gi\. Raise spec\.pod\.resources\.limits\.memory, or use a smaller training\.batchSize\. No attempt is left/,
      ],
      'is refused by the kubelet': [
        {
          verdict: {
            reason: 'UnexpectedAdmissionError',
            message: 'Allocate failed due to no healthy devices present',
          },
        },
        {},
        'UnexpectedAdmissionError',
        /^The pod failed on node gpu-1: Allocate failed due to no healthy devices present\. No attempt is left/,
      ],
    };
  it.for(Object.entries(failures))('%s is Failed', async ([, [failure, pod, reason, message]], context) => {
    const [here, running] = await training(context, pod);
    await here.kubelet.fail(running, failure);
    const { status } = await here.phase('teacher', 'Failed', reason);
    expect(status?.message).toMatch(message);
    expect(status).toMatchObject({ attempts: 1, preemptions: 0, pods: [{ outcome: 'Failed' }] });
    expect(conditionsOf({ status })).toMatchObject({
      Failed: `True ${reason}: ${status?.message}`,
      LastAttemptFailed: expect.stringMatching(`^True ${reason}: `),
      Complete: expect.stringMatching(`^False ${reason}: `),
      Progressing: expect.stringMatching(`^False ${reason}: `),
    });
  });
});

describe.concurrent('a Run whose pod is taken away', () => {
  const next = 'Another attempt follows and goes on from the last checkpoint.';

  it('with a node that is lost goes on elsewhere, which is no failure', async (context) => {
    const [here, pod] = await training(context);
    await someSeconds(pod);
    await here.kubelet.disrupt(pod, {
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
    });
    const leaving = await here.phase('teacher', 'Running', 'PodTerminating');
    expect(leaving.status?.message).toBe(
      `Its pod is taken from node gpu-1: Taint manager: deleting due to NoExecute taint. ${next}`,
    );
    const ended = await here.kubelet.terminate(pod);
    const lost = await here.phase('teacher', 'Starting', 'NodeLost');
    expect(lost.status).toMatchObject({
      message: `Its pod had to leave node gpu-1, which is not reachable or has a taint that spec.pod.tolerations does not tolerate. ${next}`,
      attempts: 1,
      preemptions: 1,
      gpuSeconds: gpuSeconds(ended),
    });
    expect(await here.told(lost.metadata.name, 'Preempted')).toContainEqual({
      type: 'Normal',
      reason: 'Preempted',
      note: lost.status?.message,
    });

    await here.kubelet.remove(pod);
    const another = await here.train('teacher', 'gpu-2');
    const done = await here.kubelet.succeed(another);
    const { status } = await here.phase('teacher', 'Succeeded');
    expect(status).toMatchObject({
      attempts: 2,
      preemptions: 1,
      gpuSeconds: gpuSeconds(ended) + gpuSeconds(done),
      pods: [
        { node: 'gpu-1', outcome: 'Preempted' },
        { node: 'gpu-2', outcome: 'Succeeded' },
      ],
    });
    expect(conditionsOf({ status }).LastAttemptFailed).toBeUndefined();
  });

  it('by a kubelet that runs out of memory goes on elsewhere', async (context) => {
    const [here, pod] = await training(context);
    await here.kubelet.fail(pod, {
      exitCode: 137,
      verdict: { reason: 'Evicted', message: 'The node was low on resource: memory.' },
      disruption: { reason: 'TerminationByKubelet', message: 'The node was low on resource: memory.' },
    });
    const { status } = await here.phase('teacher', 'Starting', 'Evicted');
    expect(status).toMatchObject({
      message: `The kubelet of node gpu-1 ended its pod: The node was low on resource: memory. ${next}`,
      attempts: 1,
      preemptions: 1,
      pods: [{ outcome: 'Preempted' }],
    });
    await here.train('teacher', 'gpu-2');
  });

  it('by a drained node goes on elsewhere', async (context) => {
    const [here, pod] = await training(context);
    await client.send('POST', `/api/v1/namespaces/${here.namespace}/pods/${pod.metadata.name}/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: pod.metadata.name, namespace: here.namespace },
    });
    await here.phase('teacher', 'Running', 'PodTerminating');
    await here.kubelet.terminate(pod);
    const { status } = await here.phase('teacher', 'Starting', 'Evicted');
    expect(status).toMatchObject({
      message: `Its pod was evicted from node gpu-1, as when a node is drained. ${next}`,
      preemptions: 1,
    });
    await here.kubelet.remove(pod);
    await here.train('teacher', 'gpu-2');
  });

  it('while no operator looks goes on all the same', async (context) => {
    const [here, pod] = await training(context);
    const { name } = (await here.run('teacher')).metadata;
    await here.operator.stop();
    await here.kubelet.disrupt(pod, { reason: 'PreemptionByScheduler' });
    await here.kubelet.gone(await here.kubelet.remove(pod));
    const { stop } = await runOperator(client.access.kubeconfig, [here.namespace]);
    context.onTestFinished(stop);
    const [told] = (await here.told(name, 'Preempted')).filter(({ reason }) => reason === 'Preempted');
    expect(told?.note).toMatch(/^Its pod was taken away\. /);
    await here.train('teacher', 'gpu-2');
    expect((await here.run('teacher')).status).toMatchObject({
      attempts: 2,
      preemptions: 1,
      pods: [{ node: 'gpu-1', outcome: 'Preempted' }, { node: 'gpu-2' }],
    });
  });

  it('while nobody hears of its node says so', async (context) => {
    const [here, pod] = await training(context);
    const ready = { type: 'Ready', status: 'False', reason: 'NodeNotReady' };
    const path = `/api/v1/namespaces/${here.namespace}/pods/${pod.metadata.name}/status`;
    const contentType = 'application/strategic-merge-patch+json';
    await client.send('PATCH', path, { status: { conditions: [ready] } }, { contentType });
    const silent = await here.phase('teacher', 'Running', 'NodeNotReady');
    expect(conditionsOf(silent).Progressing).toBe(
      'False NodeNotReady: Node gpu-1 does not answer. If it stays away, Kubernetes replaces the pod after some minutes.',
    );
    await here.kubelet.run(pod);
    expect(conditionsOf(await here.phase('teacher', 'Running', 'Training')).Progressing).toMatch(/^True /);
  });
});
