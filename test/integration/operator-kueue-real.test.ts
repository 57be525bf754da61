import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { Pod } from '../../operator/jobs/objects.ts';
import { type ClusterWithKueue, startWithKueue } from '../cluster/kueue-server.ts';
import { waitFor } from '../cluster/wait.ts';
import { KueueLab, queuedStudy } from './kueue-lab.ts';
import { conditionsOf, type TestLab } from './operator-lab.ts';
import { SeveredProxy } from './severed-proxy.ts';

/** Of these tests alone: on the shared control plane there is no Kueue. */
let cluster: ClusterWithKueue;

beforeAll(async () => {
  cluster = await startWithKueue();
});
afterAll(() => cluster?.stop());

const open = (context: TestContext, options?: Parameters<typeof KueueLab.open>[2]) =>
  KueueLab.open(context, cluster.controlPlane.client, options);

/** Waits for what the Run of this role says. */
async function says(here: TestLab, role: string, reason: string, message: string | RegExp) {
  const { status } = await waitFor(`${role} to say ${reason}: ${message}`, async () => {
    const run = await here.run(role);
    const matches =
      typeof message === 'string' ? run.status?.message === message : message.test(run.status?.message ?? '');
    return run.status?.reason === reason && matches ? run : undefined;
  }).catch(async (error: unknown) => {
    throw new Error(`${error}; it is ${JSON.stringify((await here.run(role)).status, undefined, 1)}`);
  });
  return status;
}

/** A Run of the Experiment whose pod has a node, and no container yet. */
async function creating(lab: KueueLab, role: string): Promise<Pod> {
  const { here } = lab;
  const { name } = (await here.run(role)).metadata;
  const pod = await here.kubelet.podOf({ namespace: here.namespace, name });
  return await here.kubelet.waiting(await here.kubelet.bind(pod, 'gpu-1'), 'ContainerCreating');
}

describe.concurrent('a pod that Kueue takes back before its trainer began', () => {
  it('costs no retry, not even the only one', async (context) => {
    const lab = await open(context);
    const { here } = lab;
    const urgent = { 'kueue.x-k8s.io/priority-class': await lab.priorityClass('urgent', 1000) };
    await here.apply(queuedStudy({ retries: 0 }));
    const { name } = (await here.run('teacher')).metadata;
    for (const rival of ['first', 'second']) {
      const pod = await creating(lab, 'teacher');
      const leave = await lab.rival(rival, urgent);
      await here.kubelet.toldToGo(pod);
      await here.kubelet.remove(pod);
      await lab.admitted(rival);
      await waitFor('the teacher to be in the queue again', async () => {
        const job = await here.job(name).catch(() => undefined);
        const failed = job?.status?.conditions?.some(({ type }) => /^Fail/.test(type));
        return (job?.spec?.suspend === true && !failed) || undefined;
      });
      await here.phase('teacher', 'Queued');
      await leave();
    }
    await lab.admitted(name);
    const pod = await here.train('teacher');
    await here.kubelet.succeed(pod);
    const { status } = await here.phase('teacher', 'Succeeded');
    expect(status).toMatchObject({ attempts: 1, preemptions: 2 });
    expect(status?.failures).toBeUndefined();
  });
});

/** A queue in which a teacher and three baselines wait. @returns what gives one of them the GPU, and tells which */
async function busyQueue(context: TestContext) {
  const lab = await open(context);
  const { here } = lab;
  const leave = await lab.rival('rival');
  await lab.admitted('rival');
  const students = ['a', 'b', 'c'].map((name) => ({ name, model: 'resnet8' }));
  await here.apply(queuedStudy({ students }));
  const waiting = () =>
    waitFor('all to be in the queue', async () => (await lab.workloads()).length === 5 || undefined);
  await waiting();
  const first = async () => {
    await leave();
    return await waitFor('one of them to be admitted', async () => {
      const [holder] = (await lab.holders()).filter((one) => one !== 'rival');
      return holder;
    });
  };
  return { lab, waiting, first, teacher: (await here.run('teacher')).metadata.name };
}

describe.concurrent('in a busy queue', () => {
  it.for([1, 2, 3, 4])('the teacher goes first (%i)', async (_, context) => {
    const { first, teacher } = await busyQueue(context);
    expect(await first()).toBe(teacher);
  });

  it('the teacher goes first, also when its Job is made anew', async (context) => {
    const { lab, waiting, first, teacher } = await busyQueue(context);
    const { metadata } = await lab.here.job(teacher);
    await lab.here.deleteJob(teacher);
    await waitFor('the others to be behind it again', async () => {
      const age = ({
        metadata: { creationTimestamp = '' },
      }: {
        metadata: { creationTimestamp?: string | undefined };
      }) => Date.parse(creationTimestamp);
      const workloads = await lab.workloads();
      const ownerOf = (each: (typeof workloads)[number]) => each.metadata.ownerReferences?.[0];
      const own = workloads.find((each) => ownerOf(each)?.name === teacher);
      const others = workloads.filter(
        (each) => ownerOf(each)?.name !== teacher && ownerOf(each)?.name !== 'rival',
      );
      const isNew = own !== undefined && ownerOf(own)?.uid !== metadata.uid;
      return (isNew && others.length === 3 && others.every((other) => age(other) > age(own))) || undefined;
    });
    await waiting();
    expect(await first()).toBe(teacher);
  });
});

describe.concurrent('what can never start', () => {
  it('as it asks for more GPUs than there will ever be', async (context) => {
    const { here } = await open(context);
    await here.apply(queuedStudy({ pod: { gpus: 8 } }));
    await says(
      here,
      'teacher',
      'ExceedsQuota',
      /^In queue vision it cannot start: couldn't assign flavors .* > maximum capacity \(1\)\. Ask for less in spec\.pod \(gpus, resources\), choose another queue, or have its quota raised\.$/,
    );
    const { status } = await here.until('study', 'not to progress', (it) =>
      Boolean(conditionsOf(it).Progressing?.startsWith('False ExceedsQuota: ')),
    );
    expect(conditionsOf({ status }).PrerequisitesMet).toMatch(/^True/);
    expect(conditionsOf(await here.run('teacher')).Progressing).toMatch(/^False ExceedsQuota: /);
  });

  it('as its queue has no quota for a resource', async (context) => {
    const { here } = await open(context);
    await here.apply(queuedStudy({ pod: { gpus: 1, resources: { requests: { memory: '4Gi' } } } }));
    await says(here, 'teacher', 'ResourceNotCovered', /resource memory unavailable in ClusterQueue\. /);
  });

  it('as no flavor is of the nodes that it selects', async (context) => {
    const { here } = await open(context, { nodeLabels: { gpu: 'a100' } });
    await here.apply(queuedStudy({ pod: { gpus: 1, nodeSelector: { gpu: 'h100' } } }));
    await says(here, 'teacher', 'NoMatchingFlavor', /doesn't match node affinity\. /);
    await here.change('experiments', 'study', { pod: { gpus: 1, nodeSelector: { gpu: 'a100' } } });
    // A selector of what a flavor sets chooses that flavor.
    await here.train('teacher');
  });

  it('as its queue is stopped, until it is not', async (context) => {
    const lab = await open(context, { clusterQueue: { stopPolicy: 'Hold' } });
    await lab.here.apply(queuedStudy());
    await says(
      lab.here,
      'teacher',
      'QueueInactive',
      /^In queue vision it cannot start: ClusterQueue lab-\w+ is inactive\. It is stopped/,
    );
    await lab.changeQueue({ stopPolicy: 'None' });
    await lab.here.train('teacher');
    expect(conditionsOf(await lab.here.run('teacher')).Progressing).toMatch(/^True/);
  });

  it('as the ClusterQueue of its queue is gone', async (context) => {
    const lab = await open(context);
    await lab.deleteQueue();
    await lab.here.apply(queuedStudy());
    await says(lab.here, 'teacher', 'QueueMissing', /ClusterQueue lab-\w+ doesn't exist\. /);
  });
});

describe.concurrent('a priority class', () => {
  it('that does not exist is said to be missing, and correcting it takes effect', async (context) => {
    const lab = await open(context);
    const { here } = lab;
    const kind = await lab.priorityClass('kind', 10);
    const label = (name: string) => ({ metadata: { labels: { 'kueue.x-k8s.io/priority-class': name } } });
    const study_ = queuedStudy() as { metadata: object };
    await here.apply({ ...study_, metadata: { ...study_.metadata, ...label('nosuch').metadata } });
    const { status } = await here.until('study', 'to lack the class', (it) =>
      Boolean(conditionsOf(it).PrerequisitesMet?.startsWith('False PriorityClassNotFound: ')),
    );
    expect(conditionsOf({ status }).PrerequisitesMet).toMatch(
      /^False PriorityClassNotFound: The label kueue\.x-k8s\.io\/priority-class of the Experiment is nosuch, but there is no such WorkloadPriorityClass \(the cluster has .*kind-lab-.*\)\. Create it, or correct the label\.$/,
    );
    const correct = (name: string) =>
      here.client.send('PATCH', here.path('experiments', 'study'), label(name), {
        contentType: 'application/merge-patch+json',
      });
    const leave = await lab.rival('rival', {
      'kueue.x-k8s.io/priority-class': await lab.priorityClass('first', 1000),
    });
    await lab.admitted('rival');
    await correct(kind);
    const { name } = (await here.run('teacher')).metadata;
    const priorityOf = async () =>
      (await lab.workloads()).find(({ metadata }) => metadata.ownerReferences?.[0]?.name === name) as
        | { spec: { priority?: number } }
        | undefined;
    await waitFor('its Workload', async () => (await priorityOf())?.spec.priority === 10 || undefined);
    // A Job that waits is made anew for another one.
    await correct(await lab.priorityClass('other', 20));
    await waitFor('the other priority', async () => (await priorityOf())?.spec.priority === 20 || undefined);
    await leave();
  });
});

describe.concurrent('what is written of a Run', () => {
  it('is little, however often Kueue says something else', async (context) => {
    const proxy = await SeveredProxy.open(cluster.controlPlane.access);
    context.onTestFinished(() => proxy.close());
    const lab = await open(context, { kubeconfig: proxy.kubeconfig, gpus: 6 });
    const { here } = lab;
    const rivals = ['1', '2', '3', '4', '5', '6'];
    const leave = await Promise.all(rivals.map((name) => lab.rival(`rival-${name}`)));
    await Promise.all(rivals.map((name) => lab.admitted(`rival-${name}`)));
    await here.apply(queuedStudy({ pod: { gpus: 6 } }));
    await says(here, 'teacher', 'InQueue', /insufficient unused quota/);
    const { name } = (await here.run('teacher')).metadata;
    const needed = async () => {
      const workload = (await lab.workloads()).find(
        ({ metadata }) => metadata.ownerReferences?.[0]?.name === name,
      );
      return /(\d) more needed/.exec(
        workload?.status?.conditions?.find(({ type }) => type === 'QuotaReserved')?.message ?? '',
      )?.[1];
    };
    for (const [index, end] of leave.entries()) {
      await end();
      if (index < 5)
        await waitFor(
          'Kueue to say another number',
          async () => (await needed()) === String(5 - index) || undefined,
        );
    }
    await lab.admitted(name);
    const pod = await here.train('teacher');
    await here.kubelet.succeed(pod);
    await here.phase('teacher', 'Succeeded');
    const writes = proxy.writes.filter((write) => write === 'PATCH runs/status').length;
    console.log(`${writes} writes of the status of 2 Runs`);
    expect(writes).toBeLessThanOrEqual(10);
  });
});
