import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Workload } from '../../operator/controllers/kinds.ts';
import { type ClusterWithKueue, startWithKueue } from '../cluster/kueue-server.ts';
import { waitFor } from '../cluster/wait.ts';
import { experiment, Lab, patience, startOperator } from './operator-fixtures.ts';

const folder = join(import.meta.dirname, '../../examples/shared-lab');
const groups = ['vision', 'speech', 'robotics'] as const;
const kueue = '/apis/kueue.x-k8s.io/v1beta2';

let cluster: ClusterWithKueue;
beforeAll(async () => {
  cluster = await startWithKueue();
  const { client } = cluster.controlPlane;
  // As docs/shared-lab.md has it.
  await client.kubectl('apply', '--filename', join(folder, 'queues.yaml'));
  await client.kubectl('apply', '--filename', join(folder, 'groups.yaml'));
}, 180_000);
afterAll(() => cluster?.stop());

/** A teacher, and a baseline with each of so many seeds: one GPU each, all at the same time. */
const study = (name: string, seeds: number) =>
  experiment(name, {
    queue: 'gpus',
    distillation: [],
    parallelism: 100,
    seeds: Array.from({ length: seeds }, (_, index) => index + 1),
    pod: { gpus: 1, resources: { requests: { cpu: '1', memory: '1Gi' } } },
  });

const holds = ({ status }: Workload, type: string) =>
  status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;

/** Waits until so many Jobs of the group have quota. */
async function have(group: string, count: number): Promise<void> {
  const { client } = cluster.controlPlane;
  let last = 0;
  await waitFor(
    `${count} Jobs of ${group} to have quota`,
    async () => {
      const path = `${kueue}/namespaces/${group}/workloads`;
      const { items } = await client.send<{ items: readonly Workload[] }>('GET', path);
      last = items.filter((workload) => holds(workload, 'QuotaReserved')).length;
      return last === count || undefined;
    },
    patience,
  ).catch((error: unknown) => {
    throw new Error(`${error}; there are ${last}`);
  });
}

it('every group has its queue, and its queue a ClusterQueue that lends', async () => {
  const { client } = cluster.controlPlane;
  for (const group of groups) {
    await waitFor(`the queue of ${group}`, async () => {
      const { status } = await client.send<Workload>('GET', `${kueue}/namespaces/${group}/localqueues/gpus`);
      return status?.conditions?.some((one) => one.type === 'Active' && one.status === 'True') || undefined;
    });
  }
});

it('what a group does not use another one borrows, and gives back when it is wanted, and waits for', async () => {
  const { client } = cluster.controlPlane;
  const operator = await startOperator(client.access.kubeconfig, groups);
  const [vision, speech] = groups.map((group) => new Lab(client, group)) as [Lab, Lab];

  // All twelve GPUs of the lab.
  await vision.apply(study('large', 11));
  await have('vision', 12);

  await speech.apply(study('own', 3));
  await have('speech', 4);
  await have('vision', 8);
  await waitFor('those that gave way to wait for their turn', async () => {
    const queued = (await vision.runs()).filter(({ status }) => status?.phase === 'Queued');
    return queued.length >= 4 || undefined;
  });
  for (const { status } of await vision.runs()) expect(status?.failures ?? 0).toBe(0);
  expect(operator.complaints).toEqual([]);
});
