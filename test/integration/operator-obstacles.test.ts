import { afterAll, describe, expect, inject, it } from 'vitest';
import { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { trained } from './kubelet.ts';
import { experiment } from './operator-fixtures.ts';
import { conditionsOf, openLab, type TestLab } from './operator-lab.ts';

const client = new Client(inject('controlPlane'));
afterAll(() => client.close());

/** A teacher and a baseline, which compete for nothing. */
const two = (spec: object = {}) => experiment('study', { distillation: [], ...spec });

const podOf = async (here: TestLab, role: string) =>
  here.kubelet.podOf({ namespace: here.namespace, name: (await here.run(role)).metadata.name });

/** Waits until the Run is blocked for this reason. @returns its message */
async function blocked(here: TestLab, role: string, reason: string) {
  const { status } = await here.phase(role, starting.includes(reason) ? 'Starting' : 'Queued', reason);
  const said = conditionsOf({ status });
  expect(said.Progressing).toBe(`False ${reason}: ${status?.message}`);
  expect(said).toMatchObject({
    Complete: 'False Unfinished: The Run has not ended.',
    Failed: 'False Unfinished: The Run has not ended.',
  });
  return status?.message;
}

const starting = ['ImagePullBackOff', 'CreateContainerConfigError'];

/** Waits for what the Experiment says of its progress. */
function progressing(here: TestLab, text: string | RegExp) {
  return here.until('study', `to say ${text}`, (it) => {
    const said = conditionsOf(it).Progressing ?? '';
    return typeof text === 'string' ? said === text : text.test(said);
  });
}

describe.concurrent('what keeps a Run from training', () => {
  it('is that no node has room: each says so, and the Experiment once none gets on', async (context) => {
    const here = await openLab(context, client);
    await here.apply(two({ pod: { gpus: 2 } }));
    const full = '0/4 nodes are available: 4 Insufficient nvidia.com/gpu.';
    const pod = await podOf(here, 'teacher');
    await here.kubelet.unschedulable(pod, full);
    const message = `No node has room for its pod now: ${full} It starts as soon as one has. If none ever will, check spec.pod: gpus, resources, nodeSelector, tolerations.`;
    expect(await blocked(here, 'teacher', 'Unschedulable')).toBe(message);
    const { name } = (await here.run('teacher')).metadata;
    await progressing(
      here,
      `True RunsActive: 2 Runs active, 0 waiting; 1 does not get on: Run ${name}: ${message}`,
    );

    await here.kubelet.unschedulable(await podOf(here, 'baseline'), full);
    await progressing(here, `False Unschedulable: Run ${name}: ${message} (and 1 other Run)`);
    expect(await here.told(name, 'Unschedulable')).toContainEqual({
      type: 'Warning',
      reason: 'Unschedulable',
      note: message,
    });
    expect((await here.told('study', 'Unschedulable')).at(-1)).toEqual({
      type: 'Warning',
      reason: 'Unschedulable',
      note: `Run ${name}: ${message} (and 1 other Run)`,
    });

    await here.train('teacher');
    expect(conditionsOf(await here.run('teacher'))).toMatchObject({
      Progressing: expect.stringMatching(/^True Training: /),
    });
    await progressing(here, /^True RunsActive: 2 Runs active, 0 waiting; 1 does not get on/);
    await here.train('baseline');
    await progressing(here, 'True RunsActive: 2 Runs active, 0 waiting.');
  });

  it('is an image that cannot be pulled, until it can', async (context) => {
    const here = await openLab(context, client);
    await here.apply(two({ pod: { gpus: 0, image: 'registry.example/trainer:typo' } }));
    const pod = await here.kubelet.bind(await podOf(here, 'baseline'), 'gpu-1');
    await here.kubelet.waiting(pod, 'ErrImagePull', 'rpc error: code = NotFound desc = not found');
    const message =
      'Image registry.example/trainer:typo cannot be pulled: rpc error: code = NotFound desc = not found. Check its name and that the nodes may pull it (imagePullSecrets of spec.pod.serviceAccountName); it is tried again.';
    expect(await blocked(here, 'baseline', 'ImagePullBackOff')).toBe(message);
    const before = await here.run('baseline');
    await here.kubelet.waiting(
      pod,
      'ImagePullBackOff',
      'Back-off pulling image "registry.example/trainer:typo": ErrImagePull: rpc error: code = NotFound desc = not found',
    );
    await here.train('teacher');
    expect(await here.run('baseline')).toEqual(before);

    await here.kubelet.run(pod);
    const running = await here.phase('baseline', 'Running', 'Training');
    expect(conditionsOf(running).Progressing).toBe(
      `True Training: Pod ${pod.metadata.name} trains on node gpu-1.`,
    );
  });

  it('is a Secret that is missing', async (context) => {
    const here = await openLab(context, client);
    await here.apply(two({ storage: { s3: { bucket: 'vision', secretName: 's3-keys' } } }));
    const pod = await here.kubelet.bind(await podOf(here, 'teacher'), 'gpu-1');
    await here.kubelet.waiting(pod, 'CreateContainerConfigError', 'secret "s3-keys" not found');
    expect(await blocked(here, 'teacher', 'CreateContainerConfigError')).toBe(
      `Secret s3-keys does not exist in namespace ${here.namespace}. Create it; the Run then starts by itself.`,
    );
    await here.kubelet.run(pod);
    await here.phase('teacher', 'Running', 'Training');
  });

  it('is a PersistentVolumeClaim that is missing', async (context) => {
    const here = await openLab(context, client);
    await here.apply(two());
    const pod = await podOf(here, 'teacher');
    await here.kubelet.unschedulable(
      pod,
      '0/4 nodes are available: persistentvolumeclaim "experiments" not found. preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.',
    );
    expect(await blocked(here, 'teacher', 'VolumeClaimMissing')).toBe(
      `PersistentVolumeClaim experiments does not exist in namespace ${here.namespace}. Create it; the Run then starts by itself.`,
    );
    await here.train('teacher');
  });

  it('is a ResourceQuota, until it is raised', async (context) => {
    const here = await openLab(context, client);
    const quota = `/api/v1/namespaces/${here.namespace}/resourcequotas`;
    const hard = (gpus: number) => ({ spec: { hard: { 'requests.nvidia.com/gpu': String(gpus) } } });
    const metadata = { name: 'lab-gpus' };
    await client.send('POST', quota, { apiVersion: 'v1', kind: 'ResourceQuota', metadata, ...hard(1) });
    await here.apply(two({ pod: { gpus: 2 } }));
    expect(await blocked(here, 'teacher', 'QuotaExceeded')).toBe(
      `ResourceQuota lab-gpus of namespace ${here.namespace} leaves no room for its pod (requested: requests.nvidia.com/gpu=2, used: requests.nvidia.com/gpu=0, limited: requests.nvidia.com/gpu=1). It starts when other pods of the namespace have ended; or ask for less in spec.pod, or for a larger quota.`,
    );
    await blocked(here, 'baseline', 'QuotaExceeded');
    await progressing(
      here,
      /^False QuotaExceeded: Run study-teacher-.*: ResourceQuota lab-gpus .*\(and 1 other Run\)$/,
    );

    await client.send('PATCH', `${quota}/lab-gpus`, hard(4), { contentType: 'application/merge-patch+json' });
    here.play({ result: () => trained() });
    expect(conditionsOf(await here.ended('study')).Complete).toBe(
      'True AllRunsSucceeded: 2 of 2 Runs succeeded.',
    );
  });

  it('is a ResourceQuota, until another pod has ended', async (context) => {
    const here = await openLab(context, client);
    await client.send('POST', `/api/v1/namespaces/${here.namespace}/resourcequotas`, {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'lab-pods' },
      spec: { hard: { pods: '1' } },
    });
    await here.apply(two());
    const second = await waitFor('one of two Runs to find no room', async () => {
      const [run] = (await here.runs()).filter(({ status }) => status?.reason === 'QuotaExceeded');
      return run?.spec.parameters.role;
    });
    const first = second === 'teacher' ? 'baseline' : 'teacher';
    const pod = await here.train(first);
    expect(await blocked(here, second, 'QuotaExceeded')).toBe(
      `ResourceQuota lab-pods of namespace ${here.namespace} leaves no room for its pod (requested: pods=1, used: pods=1, limited: pods=1). It starts when other pods of the namespace have ended; or ask for less in spec.pod, or for a larger quota.`,
    );
    await progressing(here, /^True RunsActive: 2 Runs active, 0 waiting; 1 does not get on: Run /);
    await here.kubelet.succeed(pod);
    await here.train(second);
  });

  it('is a pod that the API server refuses, until it does not', async (context) => {
    const here = await openLab(context, client);
    await here.apply(two({ pod: { gpus: 0, serviceAccountName: 'trainers' } }));
    expect(await blocked(here, 'teacher', 'PodRefused')).toBe(
      `The API server refuses its pod in namespace ${here.namespace}: error looking up service account ${here.namespace}/trainers: serviceaccount "trainers" not found. It is tried again; if nothing else changes, correct spec.pod.`,
    );
    await client.send('POST', `/api/v1/namespaces/${here.namespace}/serviceaccounts`, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'trainers' },
    });
    await here.train('teacher');
  });
});

describe.concurrent('a Run that cannot start', () => {
  it('is tried as its Experiment asks now, once spec.pod is corrected', async (context) => {
    const here = await openLab(context, client);
    await here.apply(two({ pod: { gpus: 8, serviceAccountName: 'trainers' } }));
    await blocked(here, 'teacher', 'PodRefused');
    const { metadata } = await here.run('teacher');
    const refused = await here.job(metadata.name);
    await here.change('experiments', 'study', { pod: { serviceAccountName: null } });
    const pod = await podOf(here, 'teacher');
    expect(pod.spec?.serviceAccountName).toBe('default');
    expect((await here.job(metadata.name)).metadata.uid).not.toBe(refused.metadata.uid);
    expect(await here.told(metadata.name, 'JobDeleted')).toContainEqual({
      type: 'Normal',
      reason: 'JobDeleted',
      note: `Deleted Job ${metadata.name}: its Experiment has changed; another follows.`,
    });

    await here.kubelet.unschedulable(pod, '0/4 nodes are available: 4 Insufficient nvidia.com/gpu.');
    await blocked(here, 'teacher', 'Unschedulable');
    await here.change('experiments', 'study', { pod: { gpus: 2 } });
    await here.kubelet.gone(pod);
    const next = await here.train('teacher');
    expect(next.spec?.containers[0]?.resources?.limits).toEqual({ 'nvidia.com/gpu': '2' });
    expect((await here.run('teacher')).status).toMatchObject({ attempts: 1, preemptions: 0 });
  });

  it('is tried as its Experiment asks now after its last attempt failed; one that trains is left alone', async (context) => {
    const here = await openLab(context, client);
    await here.apply(two({ pod: { gpus: 0, resources: { limits: { memory: '8Gi' } } } }));
    const [pod, other] = [await here.train('teacher'), await here.train('baseline')];
    await here.change('experiments', 'study', { pod: { resources: { limits: { memory: '16Gi' } } } });
    await here.kubelet.fail(pod, { exitCode: 137, reason: 'OOMKilled' });
    const next = await here.train('teacher');
    expect(next.spec?.containers[0]?.resources?.limits).toEqual({ memory: '16Gi' });
    expect((await here.run('teacher')).status).toMatchObject({ attempts: 2, phase: 'Running' });
    const [running] = (await here.pods()).filter(({ metadata }) => metadata.uid === other.metadata.uid);
    expect(running?.metadata.deletionTimestamp).toBeUndefined();
  });
});

describe.concurrent('an Experiment that lacks', () => {
  it('storage for a teacher that students are to learn from starts nothing, and says why', async (context) => {
    const here = await openLab(context, client);
    await here.apply(experiment('study', { storage: undefined }));
    const message =
      'Without spec.storage the network of the teacher goes with its pod, and no student can be distilled from it. Set spec.storage to a PersistentVolumeClaim or an S3 bucket.';
    const waiting = await progressing(here, `False StorageMissing: ${message}`);
    expect(conditionsOf(waiting).PrerequisitesMet).toBe(`False StorageMissing: ${message}`);
    expect(waiting.status).toMatchObject({ phase: 'Pending', runs: { Waiting: 3 } });
    expect(await here.jobs()).toEqual([]);

    await here.change('experiments', 'study', { storage: { persistentVolumeClaim: { claimName: 'lab' } } });
    await here.train('teacher');
    await here.until(
      'study',
      'to miss nothing',
      (it) => conditionsOf(it).PrerequisitesMet === 'True Met: Nothing that it needs is missing.',
    );
  });

  it('storage for networks that are to be explained starts nothing, and says why', async (context) => {
    const here = await openLab(context, client);
    await here.apply(experiment('study', { storage: undefined, distillation: [], explain: {} }));
    const message =
      'Without spec.storage the networks go with their pods, and none can be explained. Set spec.storage to a PersistentVolumeClaim or an S3 bucket, or leave spec.explain out.';
    await progressing(here, `False StorageMissing: ${message}`);
    expect(await here.jobs()).toEqual([]);
  });

  it('the Kueue that its queue needs starts nothing, and says why', async (context) => {
    const here = await openLab(context, client);
    await here.apply(experiment('study', { queue: 'vision' }));
    const message =
      'spec.queue is vision, but Kueue is not installed in this cluster. Install it (https://kueue.sigs.k8s.io), or remove spec.queue.';
    const waiting = await progressing(here, `False KueueNotInstalled: ${message}`);
    expect(conditionsOf(waiting).PrerequisitesMet).toBe(`False KueueNotInstalled: ${message}`);
    expect(await here.told('study', 'KueueNotInstalled')).toContainEqual({
      type: 'Warning',
      reason: 'KueueNotInstalled',
      note: message,
    });
    expect(await here.jobs()).toEqual([]);
    expect((await here.runs()).every(({ spec }) => spec.suspend)).toBe(true);

    await here.change('experiments', 'study', { queue: null });
    await here.train('teacher');
  });
});
