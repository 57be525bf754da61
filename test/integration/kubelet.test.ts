import { afterAll, beforeAll, describe, expect, inject, it, type TestContext } from 'vitest';
import { container, label } from '../../operator/jobs/contract.ts';
import { failurePolicy } from '../../operator/jobs/failure-policy.ts';
import type { Job, Pod } from '../../operator/jobs/objects.ts';
import { podEnd } from '../../operator/jobs/pod-end.ts';
import { exitCodes, type Termination } from '../../src/protocol/report.ts';
import { Client } from '../cluster/client.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import type { Failure } from '../cluster/pod-status.ts';
import { waitFor } from '../cluster/wait.ts';
import { Kubelet, type Place, type PlayOptions, playKubelet, preempted, trained } from './kubelet.ts';

const client = new Client(inject('controlPlane'));
const kubelet = new Kubelet(client);
let namespace: string;

beforeAll(async () => {
  namespace = await client.newNamespace('kubelet');
});
afterAll(() => client.close());

const jobs = (of: string) => `/apis/batch/v1/namespaces/${of}/jobs`;

/** A Job such as the operator makes for a Run of that name. */
async function createJob(name: string, spec: object = {}, { in: of = namespace } = {}): Promise<Place> {
  await client.send('POST', jobs(of), {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      backoffLimit: 0,
      podReplacementPolicy: 'Failed',
      podFailurePolicy: failurePolicy,
      ...spec,
      template: {
        metadata: { labels: { [label.run]: name } },
        spec: { restartPolicy: 'Never', containers: [{ name: container, image: 'example.org/trainer:1' }] },
      },
    },
  });
  return { namespace: of, name };
}

const jobOf = (run: Place) => client.send<Job>('GET', `${jobs(run.namespace)}/${run.name}`);

const deleteJob = (run: Place, propagationPolicy = 'Foreground') =>
  client.send('DELETE', `${jobs(run.namespace)}/${run.name}`, {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    propagationPolicy,
  });

/** Type and reason of the condition that ended the Job. */
function endOf(run: Place): Promise<readonly [string, string | undefined]> {
  return waitFor(`the end of Job ${run.name}`, async () => {
    const { status } = await jobOf(run);
    const end = status?.conditions?.find(({ type }) => type === 'Complete' || type === 'Failed');
    return end && [end.type, end.reason];
  });
}

async function runningPod(run: Place): Promise<Pod> {
  const pod = await kubelet.podOf(run);
  return kubelet.run(await kubelet.bind(pod, 'gpu-1'));
}

const conditionsOf = (pod: Pod) =>
  Object.fromEntries(
    (pod.status?.conditions ?? []).map(({ type, status, reason }) => [type, reason ?? status]),
  );

describe('a pod', () => {
  it('goes from the queue over its image to the end of its trainer, and the Job controller believes it', async () => {
    const run = await createJob('well');
    const made = await kubelet.podOf(run);
    const refused = await kubelet.unschedulable(
      made,
      '0/4 nodes are available: 4 Insufficient nvidia.com/gpu.',
    );
    expect(refused.status).toMatchObject({
      phase: 'Pending',
      conditions: [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'Unschedulable',
          message: '0/4 nodes are available: 4 Insufficient nvidia.com/gpu.',
        },
      ],
    });

    const bound = await kubelet.bind(made, 'gpu-1');
    expect(bound.spec).toMatchObject({ nodeName: 'gpu-1' });
    expect(conditionsOf(bound)).toEqual({ PodScheduled: 'True' });

    const pulling = await kubelet.waiting(made, 'ErrImagePull', 'no such image');
    expect(pulling.status).toMatchObject({
      phase: 'Pending',
      startTime: expect.any(String),
      containerStatuses: [
        {
          name: 'trainer',
          ready: false,
          state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } },
        },
      ],
    });
    expect(conditionsOf(pulling)).toMatchObject({ Initialized: 'True', Ready: 'ContainersNotReady' });

    const running = await kubelet.run(made);
    expect(running.status).toMatchObject({
      phase: 'Running',
      startTime: pulling.status?.startTime,
      containerStatuses: [
        { name: 'trainer', ready: true, state: { running: { startedAt: expect.any(String) } } },
      ],
    });
    expect(conditionsOf(running)).toEqual({
      PodScheduled: 'True',
      PodReadyToStartContainers: 'True',
      Initialized: 'True',
      Ready: 'True',
      ContainersReady: 'True',
    });

    const ended = await kubelet.succeed(made);
    const { startedAt } = running.status?.containerStatuses?.[0]?.state?.running ?? {};
    expect(ended.status).toMatchObject({
      phase: 'Succeeded',
      containerStatuses: [
        { ready: false, state: { terminated: { exitCode: 0, reason: 'Completed', startedAt } } },
      ],
    });
    expect(conditionsOf(ended)).toMatchObject({ PodScheduled: 'True', Ready: 'PodCompleted' });
    expect(podEnd(ended, false)).toMatchObject({ outcome: 'Succeeded', result: { testAccuracy: 0.7561 } });
    expect(await endOf(run)).toEqual(['Complete', 'CompletionsReached']);
  });

  it('is run on a node only, once only, and removed only if it was told to go', async () => {
    const pod = await kubelet.podOf(await createJob('refused'));
    await expect(kubelet.run(pod)).rejects.toThrow(`pod ${pod.metadata.name} is on no node: bind it first`);
    await expect(kubelet.remove(pod)).rejects.toThrow(`pod ${pod.metadata.name} was not told to go`);
    await kubelet.fail(await kubelet.bind(pod, 'gpu-1'), { exitCode: exitCodes.failed });
    await expect(kubelet.run(pod)).rejects.toThrow(`pod ${pod.metadata.name} has ended`);
  });
});

// At once, since the Job controller waits 10 s before it replaces a pod that failed, counted or not.
describe.concurrent('a failed pod', () => {
  const word: Termination = { outcome: 'failed', code: 'TrainingDiverged', message: 'The loss is NaN.' };
  const nodeGone = { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' };
  const lowMemory = { reason: 'TerminationByKubelet', message: 'The node was low on resource: memory.' };

  it.each<[string, Failure, string]>([
    ['an error', { exitCode: exitCodes.failed }, 'BackoffLimitExceeded'],
    ['too little memory', { exitCode: 137, reason: 'OOMKilled' }, 'BackoffLimitExceeded'],
    ['no container', { exitCode: 128, reason: 'StartError', message: 'runc' }, 'BackoffLimitExceeded'],
    ['a node that refuses it', { verdict: { reason: 'OutOfcpu', message: 'No.' } }, 'BackoffLimitExceeded'],
    ['its trainer that knows better', { exitCode: exitCodes.diverged, message: word }, 'PodFailurePolicy'],
    [
      'its trainer, although it is evicted',
      { exitCode: exitCodes.dataset, disruption: lowMemory },
      'PodFailurePolicy',
    ],
  ])('for %s ends a Job without retries', async (name, failure, reason) => {
    const run = await createJob(name.replace(/\W+/g, '-'));
    const pod = await kubelet.fail(await runningPod(run), failure);
    expect(pod.status).toMatchObject({ phase: 'Failed' });
    expect(await endOf(run)).toEqual(['Failed', reason]);
  });

  it.each<[string, Failure]>([
    ['a checkpoint', preempted],
    ['a lost node', { exitCode: 137, disruption: nodeGone }],
    ['eviction', { exitCode: 143, verdict: { reason: 'Evicted', message: 'No.' }, disruption: lowMemory }],
  ])('for %s is replaced, and does not count', async (name, failure) => {
    const run = await createJob(`replaced-after-${name.replace(/\W+/g, '-')}`);
    const first = await kubelet.fail(await runningPod(run), failure);
    expect(podEnd(first, false)).toMatchObject({ outcome: 'Preempted' });
    const second = await kubelet.podOf(run);
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
    expect((await jobOf(run)).status?.failed).toBeUndefined();
    await kubelet.succeed(await kubelet.bind(second, 'gpu-2'));
    expect(await endOf(run)).toEqual(['Complete', 'CompletionsReached']);
  });

  it('that gives way to another is marked, told to go, and replaced once it has ended', async () => {
    const run = await createJob('gives-way');
    const pod = await runningPod(run);
    await kubelet.disrupt(pod, { reason: 'PreemptionByScheduler', message: 'preempting' });
    const told = await kubelet.toldToGo(pod);
    expect(told.status?.phase).toBe('Running');
    expect(conditionsOf(told)).toMatchObject({ DisruptionTarget: 'PreemptionByScheduler' });
    expect((await kubelet.podOf(run)).metadata.uid).toBe(pod.metadata.uid);

    const ended = await kubelet.terminate(pod);
    expect(podEnd(ended, false)).toMatchObject({ outcome: 'Preempted', reason: 'Preempted' });
    await kubelet.remove(pod);
    await kubelet.gone(pod);
    const second = await kubelet.podOf(run);
    expect(second.metadata.uid).not.toBe(pod.metadata.uid);
  });
});

describe('a Job that is deleted', () => {
  const goes = (run: Place) =>
    waitFor(`Job ${run.name} to go`, async () => {
      const { status } = await client.request('GET', `${jobs(run.namespace)}/${run.name}`);
      return status === 404 || undefined;
    });

  it('is there until its pod has written its checkpoint and is removed', async () => {
    const run = await createJob('deleted');
    const pod = await runningPod(run);
    await deleteJob(run);
    const told = await kubelet.toldToGo(pod);
    expect(told.status?.phase).toBe('Running');
    expect((await jobOf(run)).metadata.finalizers).toContain('foregroundDeletion');

    const removed = await kubelet.remove(told);
    expect(podEnd(removed, true)).toMatchObject({ outcome: 'Stopped' });
    await kubelet.gone(pod);
    await goes(run);
  });

  it('goes with a pod whose container never ran', async () => {
    const run = await createJob('never-ran');
    const pod = await kubelet.waiting(await kubelet.bind(await kubelet.podOf(run), 'gpu-1'), 'ErrImagePull');
    await deleteJob(run);
    const removed = await kubelet.remove(await kubelet.toldToGo(pod));
    expect(removed.status?.containerStatuses).toMatchObject([
      { state: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } } },
    ]);
    await kubelet.gone(pod);
    await goes(run);
  });

  it('goes with a pod that is on no node, without a kubelet', async () => {
    const run = await createJob('on-no-node');
    const pod = await kubelet.podOf(run);
    await deleteJob(run);
    await kubelet.gone(pod);
    await goes(run);
  });
});

describe.concurrent('a kubelet that plays by itself', () => {
  function play({ onTestFinished }: TestContext, options: Omit<PlayOptions, 'signal'>, on = client) {
    const stop = new AbortController();
    const playing = playKubelet(on, { ...options, signal: stop.signal });
    onTestFinished(async () => {
      stop.abort();
      await playing.ended;
    });
    return playing;
  }

  it('brings Jobs to the ends that it is told, and remembers every pod', async (context) => {
    const own = await client.newNamespace('played');
    const playing = play(context, {
      namespaces: [own],
      result: ({ run, attempt }) => {
        if (run === 'diverges') return { exitCode: exitCodes.diverged, message: 'NaN' };
        if (run === 'retried' && attempt === 1) return { outcome: 'preempted', epoch: 1, step: 2 };
        return trained({ testAccuracy: 0.5 });
      },
    });
    const names = ['one', 'two', 'diverges', 'retried'];
    const runs = await Promise.all(names.map((name) => createJob(name, {}, { in: own })));
    expect(await Promise.all(runs.map(endOf))).toEqual([
      ['Complete', 'CompletionsReached'],
      ['Complete', 'CompletionsReached'],
      ['Failed', 'PodFailurePolicy'],
      ['Complete', 'CompletionsReached'],
    ]);
    const exits = runs.map((run) => playing.podsOf(run).map(({ exitCode }) => exitCode));
    expect(exits).toEqual([[0], [0], [70], [75, 0]]);
    expect(playing.pods()).toHaveLength(5);
    const [first, second] = playing.podsOf(runs[3]!);
    expect(first).toMatchObject({ namespace: own, run: 'retried', attempt: 1, name: expect.any(String) });
    expect(second!.from).toBeGreaterThan(first!.until!);
    expect(second!.ended!.getTime()).toBeGreaterThanOrEqual(second!.created.getTime());
  });

  it('knows how many pods of a namespace were live at once', async (context) => {
    const [crowded, other] = [await client.newNamespace('crowded'), await client.newNamespace('other')];
    const playing = play(context, { namespaces: [crowded, other], runMilliseconds: 2000 });
    const abreast = await createJob('abreast', { parallelism: 3, completions: 3 }, { in: crowded });
    const inTurn = await createJob('in-turn', { parallelism: 1, completions: 2 }, { in: other });
    await Promise.all([endOf(abreast), endOf(inTurn)]);
    expect(playing.mostLive(crowded)).toBe(3);
    expect(playing.mostLive(other)).toBe(1);
    expect(playing.mostLive('empty')).toBe(0);
  });

  it('lets pods go that are deleted, with a checkpoint', async (context) => {
    const own = await client.newNamespace('paused');
    const playing = play(context, { namespaces: [own], runMilliseconds: 3_600_000 });
    const run = await createJob('paused', {}, { in: own });
    await waitFor(
      'its pod to run',
      async () => (await kubelet.podOf(run)).status?.phase === 'Running' || undefined,
    );
    await deleteJob(run);
    await waitFor('its pod to have ended', () => playing.podsOf(run)[0]?.ended);
    expect(playing.podsOf(run)).toMatchObject([{ exitCode: exitCodes.preempted }]);
    await waitFor('the Job to go', async () => {
      const { status } = await client.request('GET', `${jobs(own)}/paused`);
      return status === 404 || undefined;
    });
  });

  it('goes on when the API server comes back', async (context) => {
    const controlPlane = await startControlPlane({ controllers: false });
    context.onTestFinished(() => controlPlane.stop());
    const playing = play(context, { runMilliseconds: 1 }, controlPlane.client);
    await controlPlane.restartApiServer();
    const metadata = { name: 'late', labels: { [label.run]: 'late' } };
    const containers = [{ name: container, image: 'example.org/trainer:1' }];
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { restartPolicy: 'Never', containers } };
    await controlPlane.client.send('POST', '/api/v1/namespaces/default/pods', pod);
    await waitFor('its end', () => playing.podsOf({ namespace: 'default', name: 'late' })[0]?.ended);
  });
});
