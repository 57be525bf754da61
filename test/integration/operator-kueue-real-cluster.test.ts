import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ClusterWithKueue, startWithKueue } from '../cluster/kueue-server.ts';
import { waitFor } from '../cluster/wait.ts';
import { KueueLab } from './kueue-lab.ts';
import { experiment } from './operator-fixtures.ts';
import { conditionsOf, openLab } from './operator-lab.ts';

/** Its Kueue lets no Job start that is in no queue, and takes back the place of one whose pod is not ready soon. */
let cluster: ClusterWithKueue;

beforeAll(async () => {
  cluster = await startWithKueue({
    manageJobsWithoutQueueName: true,
    waitForPodsReady: {
      timeout: '5s',
      requeuingStrategy: { backoffBaseSeconds: 1, backoffMaxSeconds: 1 },
    },
  });
});
afterAll(() => cluster?.stop());

const spec = { distillation: [], pod: { gpus: 1 } };

it('where Kueue manages every Job, an Experiment without a queue says that it needs one', async (context) => {
  const { here } = await KueueLab.open(context, cluster.controlPlane.client);
  await here.apply(experiment('study', spec));
  const { status } = await here.phase('teacher', 'Queued', 'QueueNeeded');
  expect(status?.message).toBe(
    `Kueue lets no Job start in namespace ${here.namespace} that is in no queue. Set spec.queue to one of kubectl get localqueues -n ${here.namespace}.`,
  );
  await here.until('study', 'not to progress', (it) =>
    Boolean(conditionsOf(it).Progressing?.startsWith('False QueueNeeded: ')),
  );
  await here.change('experiments', 'study', { queue: 'vision' });
  await here.kubelet.succeed(await here.train('teacher'));
  await here.phase('teacher', 'Succeeded');
});

it('a slow image costs no retry where pods are to be ready soon', async (context) => {
  const lab = await KueueLab.open(context, cluster.controlPlane.client);
  const { here } = lab;
  await here.apply(experiment('study', { ...spec, queue: 'vision', retries: 0 }));
  const { name } = (await here.run('teacher')).metadata;
  const pod = await here.kubelet.podOf({ namespace: here.namespace, name });
  await here.kubelet.waiting(await here.kubelet.bind(pod, 'gpu-1'), 'ContainerCreating');
  await here.kubelet.remove(await here.kubelet.toldToGo(pod));
  await here.kubelet.gone(pod);
  await here.kubelet.succeed(await here.train('teacher'));
  const { status } = await here.phase('teacher', 'Succeeded');
  expect(status).toMatchObject({ attempts: 1, preemptions: 1 });
  expect(status?.failures).toBeUndefined();
});

it('a Kueue that is taken away is missed, not its queue', async (context) => {
  const lab = await KueueLab.open(context, cluster.controlPlane.client);
  const { here } = lab;
  await here.apply(experiment('study', { ...spec, queue: 'vision' }));
  await lab.admitted((await here.run('teacher')).metadata.name);
  await cluster.kueue.uninstall();
  const other = await openLab(context, cluster.controlPlane.client);
  for (const study of [here, other]) {
    if (study === other) await other.apply(experiment('study', { ...spec, queue: 'vision' }));
    else await here.change('experiments', 'study', { seeds: [1, 2] });
    await study.until('study', 'to miss Kueue', (it) =>
      Boolean(conditionsOf(it).PrerequisitesMet?.startsWith('False KueueNotInstalled: ')),
    );
  }
  await waitFor(
    'the loss to be logged',
    () => here.operator.complaints.some(({ msg }) => msg === 'Kueue was taken away') || undefined,
  );
  // The other one may have come while discovery still told of it.
  for (const { operator } of [here, other]) {
    const said = new Set(operator.complaints.map(({ msg }) => msg));
    expect([...said].filter((msg) => msg !== 'Kueue was taken away')).toEqual([]);
    (operator.complaints as unknown[]).length = 0;
  }
});
