import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { Job } from '../../operator/jobs/objects.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { waitFor } from '../cluster/wait.ts';
import { installKueue, Kueue } from './kueue.ts';
import { experiment, Lab, type RunningOperator, runOperator } from './operator-fixtures.ts';
import { conditionsOf, openLab, restrictedNamespace, type TestLab } from './operator-lab.ts';

/** Of these tests alone: on the shared one there is no Kueue. */
let controlPlane: ControlPlane;
/** Began before Kueue was installed. */
let early: { readonly lab: Lab; readonly operator: RunningOperator };

beforeAll(async () => {
  controlPlane = await startControlPlane({ crds: true });
  const { client } = controlPlane;
  const lab = new Lab(client, await restrictedNamespace(client, 'early'));
  early = { lab, operator: await runOperator(client.access.kubeconfig, [lab.namespace]) };
  await lab.apply(experiment('study', { queue: 'vision' }));
  await missing(lab, 'KueueNotInstalled');
  await installKueue(client, 'v1beta1');
});
afterAll(async () => {
  await early.operator.stop();
  await controlPlane.stop();
});

/** Waits until the Experiment lacks this. @returns what its condition says */
async function missing(lab: Lab, reason: string): Promise<string | undefined> {
  const { status } = await lab.until('study', `to lack ${reason}`, (it) =>
    Boolean(conditionsOf(it).PrerequisitesMet?.startsWith(`False ${reason}: `)),
  );
  return conditionsOf({ status }).PrerequisitesMet;
}

/** An Experiment in a queue whose first Run has its Job; a failure would be its last. */
async function queuedRun(context: TestContext): Promise<{ here: TestLab; kueue: Kueue; job: Job }> {
  const here = await openLab(context, controlPlane.client);
  const kueue = new Kueue(controlPlane.client, here.namespace);
  await kueue.createQueue('vision');
  const spec = { queue: 'vision', distillation: [], retries: 0, pod: { gpus: 2 }, parallelism: 1 };
  await here.apply(experiment('study', spec));
  return { here, kueue, job: await jobOf(here) };
}

async function jobOf(lab: Lab): Promise<Job> {
  const { name } = (await lab.run('teacher')).metadata;
  return await waitFor(`the Job ${name}`, async () => {
    const path = `/apis/batch/v1/namespaces/${lab.namespace}/jobs/${name}`;
    const { status, body } = await lab.client.request<Job>('GET', path);
    return status === 200 && body.metadata.deletionTimestamp === undefined ? body : undefined;
  });
}

/** Kueue lets the Job start, and its pod trains. */
async function admitted({ here, kueue, job }: Awaited<ReturnType<typeof queuedRun>>) {
  await kueue.takeUp(job);
  await kueue.admit(job);
  await kueue.start(job);
  return here.train('teacher');
}

const messageOf = async (here: TestLab, phase: string, reason: string) =>
  (await here.phase('teacher', phase, reason)).status?.message;

describe.concurrent('a queue', () => {
  it('is waited for: until Kueue is installed, and then until it is there', async () => {
    const { lab } = early;
    expect(await missing(lab, 'LocalQueueNotFound')).toBe(
      `False LocalQueueNotFound: spec.queue is vision, but there is no such LocalQueue in namespace ${lab.namespace} (it has none). Create it, or correct spec.queue.`,
    );
    expect((await lab.runs()).every(({ spec }) => spec.suspend)).toBe(true);
    const kueue = new Kueue(controlPlane.client, lab.namespace);
    await kueue.createQueue('visoin');
    await lab.until('study', 'to know of the other queue', (it) =>
      Boolean(conditionsOf(it).PrerequisitesMet?.includes('(it has visoin)')),
    );
    await kueue.createQueue('vision');
    await jobOf(lab);
    const { status } = await lab.until('study', 'to lack nothing', (it) =>
      Boolean(conditionsOf(it).PrerequisitesMet?.startsWith('True')),
    );
    expect(conditionsOf({ status }).Progressing).toMatch(/^True RunsActive: /);
  });

  it('gets Jobs that are suspended, with its name and the class on the Experiment', async (context) => {
    const here = await openLab(context, controlPlane.client);
    await new Kueue(controlPlane.client, here.namespace).createQueue('vision');
    const study = experiment('study', { queue: 'vision' }) as { metadata: object };
    await controlPlane.client.send('POST', '/apis/kueue.x-k8s.io/v1beta1/workloadpriorityclasses', {
      apiVersion: 'kueue.x-k8s.io/v1beta1',
      kind: 'WorkloadPriorityClass',
      metadata: { name: 'urgent' },
      value: 1000,
    });
    const labels = { 'kueue.x-k8s.io/priority-class': 'urgent' };
    await here.apply({ ...study, metadata: { ...study.metadata, labels } });
    const job = await jobOf(here);
    expect(job.metadata.labels).toMatchObject({ ...labels, 'kueue.x-k8s.io/queue-name': 'vision' });
    expect(job.spec?.suspend).toBe(true);
    expect(job.spec?.template.metadata?.labels).not.toHaveProperty('kueue.x-k8s.io/queue-name');
    expect(await messageOf(here, 'Queued', 'NotTakenUp')).toBe(
      'Waits for queue vision: Kueue has not taken it up yet. If this lasts, check that Kueue is running, and that there is a WorkloadPriorityClass urgent.',
    );
    expect(await here.pods()).toEqual([]);
  });
});

describe.concurrent('a Run in a queue', () => {
  it('goes from the queue over quota and admission checks to a pod, as Kueue says', async (context) => {
    const { here, kueue, job } = await queuedRun(context);
    await kueue.takeUp(job);
    const full =
      "couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor a100, 2 more needed";
    await kueue.pend(job, full);
    const waits = `Waits in queue vision. ${full}.`;
    await here.until('study', 'to wait', ({ status }) => status?.runs?.Queued === 1);
    await waitFor(waits, async () => (await here.run('teacher')).status?.message === waits || undefined);
    expect((await here.run('teacher')).status).toMatchObject({
      phase: 'Queued',
      reason: 'InQueue',
      gpuSeconds: 0,
    });

    await kueue.reserve(job, [{ name: 'provision', state: 'Pending', message: 'nodes are on the way' }]);
    expect(await messageOf(here, 'Queued', 'AdmissionChecks')).toBe(
      'Its quota is reserved; it waits for admission checks (provision: Pending, nodes are on the way).',
    );
    await kueue.admit(job);
    expect(await messageOf(here, 'Starting', 'Admitted')).toBe('Kueue has admitted it; its pod follows.');

    await kueue.start(job);
    const pod = await here.train('teacher');
    expect(pod.spec?.nodeSelector).toEqual({ 'gpu.example/flavor': 'a100' });
    await here.kubelet.succeed(pod);
    await kueue.finish(job, 'Succeeded', 'Job finished successfully');
    const { status } = await here.phase('teacher', 'Succeeded');
    expect(status).toMatchObject({ attempts: 1, preemptions: 0, startTime: status?.pods?.[0]?.startTime });
  });

  it('that is preempted waits in the queue again, which is no failure, and goes on', async (context) => {
    const scene = await queuedRun(context);
    const { here, kueue, job } = scene;
    const pod = await admitted(scene);
    const why =
      'Preempted to accommodate a workload (UID: 6f2f, JobUID: 77aa) due to prioritization in the ClusterQueue';
    const before = await here.job(job.metadata.name);
    await kueue.evict(job, 'Preempted', why);
    const waits = `Kueue took back its place: ${why}. It waits in queue vision and goes on from the last checkpoint.`;
    expect(await messageOf(here, 'Queued', 'Preempted')).toBe(waits);
    await kueue.stop(job);
    await here.kubelet.toldToGo(pod);
    expect((await here.run('teacher')).status).toMatchObject({ phase: 'Queued', preemptions: 0 });
    await here.kubelet.remove(pod);
    await kueue.release(job, why);
    const preempted = await waitFor('its preemption to count', async () => {
      const run = await here.run('teacher');
      return run.status?.preemptions === 1 ? run : undefined;
    });
    expect(preempted.status).toMatchObject({
      phase: 'Queued',
      reason: 'Preempted',
      attempts: 1,
      pods: [{ outcome: 'Preempted' }],
    });
    expect(conditionsOf(preempted).Failed).toBe('False Unfinished: The Run has not ended.');
    const [told] = (await here.told(preempted.metadata.name, 'Preempted')).filter(
      (it) => it.reason === 'Preempted',
    );
    expect(told?.note).toMatch(/^Kueue took back its place: /);
    // The slot stays its own: the baseline waits.
    expect((await here.run('baseline')).spec.suspend).toBe(true);

    await kueue.admit(job);
    await kueue.start(job);
    await here.kubelet.succeed(await here.train('teacher', 'gpu-2'));
    const { status } = await here.phase('teacher', 'Succeeded');
    expect(status).toMatchObject({
      attempts: 2,
      preemptions: 1,
      pods: [{ outcome: 'Preempted' }, { outcome: 'Succeeded' }],
    });
    const after = await here.job(job.metadata.name);
    expect(after.metadata.uid).toBe(before.metadata.uid);
    const managers = after.metadata.managedFields?.filter(({ manager }) => /destillml/.test(manager ?? ''));
    expect(managers).toEqual(
      before.metadata.managedFields?.filter(({ manager }) => /destillml/.test(manager ?? '')),
    );
  });

  it('whose Workload is deactivated is held, and says how to let it go on', async (context) => {
    const scene = await queuedRun(context);
    const { here, kueue, job } = scene;
    const pod = await admitted(scene);
    await kueue.setActive(job, false);
    await kueue.evict(job, 'Deactivated', 'The workload is deactivated');
    await kueue.stop(job);
    await here.kubelet.toldToGo(pod);
    await here.kubelet.remove(pod);
    const message = await messageOf(here, 'Queued', 'Held');
    expect(message).toMatch(
      /^Its Workload was deactivated \(The workload is deactivated\)\. To let it go on: kubectl patch workload -n lab-\w+ job-study-teacher-\S+ --type=merge -p '\{"spec":\{"active":true\}\}'$/,
    );
    const { name } = job.metadata;
    await here.until(
      'study',
      'to be held',
      (it) => conditionsOf(it).Progressing === `False Held: Run ${name}: ${message}`,
    );

    await kueue.setActive(job, true);
    await kueue.admit(job);
    await kueue.start(job);
    await here.train('teacher');
    expect((await here.run('teacher')).status).toMatchObject({ attempts: 2, preemptions: 1 });
    await here.until('study', 'to get on', (it) =>
      /^True RunsActive/.test(conditionsOf(it).Progressing ?? ''),
    );
  });

  it('that Kueue gives up is Failed for its reason, and its Job goes', async (context) => {
    const { here, kueue, job } = await queuedRun(context);
    await kueue.takeUp(job);
    await kueue.admit(job);
    const why =
      'in admission check "": invalid admission check PodSetUpdate: conflict for nodeSelector: key=gpu.example/flavor';
    await kueue.finish(job, 'FailedToStart', why);
    const failed = await here.phase('teacher', 'Failed', 'FailedToStart');
    expect(failed.status?.message).toBe(`Kueue gave it up: ${why}. Delete the Run to have it tried again.`);
    await waitFor('its Job to go', async () => {
      const jobs = await here.jobs();
      return jobs.every(({ metadata }) => metadata.uid !== job.metadata.uid) || undefined;
    });
    // The next one has its turn.
    await waitFor(
      'the baseline to be started',
      async () => !(await here.run('baseline')).spec.suspend || undefined,
    );
  });

  it('that is paused gives its place back to Kueue, and asks anew when it goes on', async (context) => {
    const scene = await queuedRun(context);
    const { here, kueue, job } = scene;
    const pod = await admitted(scene);
    await here.change('experiments', 'study', { suspend: true });
    await here.kubelet.toldToGo(pod);
    await here.kubelet.remove(pod);
    await here.phase('teacher', 'Waiting', 'Paused');
    await here.empty('jobs');
    await here.change('experiments', 'study', { suspend: false });
    const another = await jobOf(here);
    expect(another.metadata.uid).not.toBe(job.metadata.uid);
    expect(another.spec?.suspend).toBe(true);
    await kueue.takeUp(another);
    await kueue.admit(another);
    await kueue.start(another);
    await here.train('teacher');
    expect((await here.run('teacher')).status).toMatchObject({ attempts: 2, preemptions: 0 });
  });
});

describe('a newer Kueue', () => {
  it('is read in its newer version', async (context) => {
    const { client } = controlPlane;
    await installKueue(client, 'v1beta1', 'v1beta2');
    const here = await openLab(context, client);
    const kueue = new Kueue(client, here.namespace, 'v1beta2');
    await kueue.createQueue('vision');
    await here.apply(experiment('study', { queue: 'vision' }));
    const job = await jobOf(here);
    await kueue.takeUp(job);
    await kueue.admit(job);
    await here.phase('teacher', 'Starting', 'Admitted');
  });
});
