/**
 * Proves that Jobs run on kwok's nodes, and says how fast: `node test/cluster/nodes-check/main.ts [--jobs 20] [--pods 1]
 * [--nodes 5] [--gpus 2] [--run 1000] [--limits]`. Needs `test/cluster/build.sh kube-scheduler kwok`.
 *
 * Each Job has as many pods as told, all of which may run at once, with one GPU each.
 */
import { deepEqual, equal } from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { container } from '../../../operator/jobs/contract.ts';
import type { Job, Pod } from '../../../operator/jobs/objects.ts';
import type { Client } from '../client.ts';
import { startControlPlane } from '../control-plane.ts';
import { waitFor } from '../wait.ts';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '20' },
    pods: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '5' },
    gpus: { type: 'string', default: '2' },
    run: { type: 'string', default: '1000' },
    limits: { type: 'boolean', default: false },
  },
});
const [jobs, pods, count, gpus, runMilliseconds] = [
  values.jobs,
  values.pods,
  values.nodes,
  values.gpus,
  values.run,
].map(Number) as [number, number, number, number, number];

type List<T> = { readonly items: readonly T[] };

const namespaced = '/apis/batch/v1/namespaces/default/jobs';
const podsPath = '/api/v1/namespaces/default/pods';
const terminationMessage = JSON.stringify({
  outcome: 'succeeded',
  of: { braces: '{{ Now }}', quotes: '"\'\\\n' },
});
const spec = {
  restartPolicy: 'Never',
  containers: [
    {
      name: container,
      image: 'example.org/trainer:1',
      resources: { limits: { cpu: '1', memory: '1Gi', 'nvidia.com/gpu': '1' } },
    },
  ],
};

const since = (start: number) => `${((performance.now() - start) / 1000).toFixed(1)} s`;

const start = performance.now();
const controlPlane = await startControlPlane({
  scheduler: true,
  nodes: { count, gpus, runMilliseconds, terminationMessage },
  clientLimits: values.limits,
});
try {
  console.log(`up, with ${count} nodes of ${gpus} GPUs: ${since(start)}`);
  await finish(controlPlane.client);
  // A shorter one is over before it can be deleted.
  if (runMilliseconds >= 1000) await leave(controlPlane.client);
} finally {
  await controlPlane.stop();
}

/** Every Job is Complete, its pods say what they were told to say, and never do more run than there are GPUs. */
async function finish(client: Client): Promise<void> {
  const begin = performance.now();
  const names = Array.from({ length: jobs }, (_, index) => `job-${index + 1}`);
  await Promise.all(names.map((name) => client.send('POST', namespaced, job(name))));
  console.log(`${jobs} Jobs created: ${since(begin)}`);
  let most = 0;
  await waitFor(
    'all Jobs to be complete',
    async () => {
      const running = await client.send<List<Pod>>('GET', `${podsPath}?fieldSelector=status.phase=Running`);
      most = Math.max(most, running.items.length);
      const { items } = await client.send<List<Job>>('GET', namespaced);
      return items.every(({ status }) => status?.succeeded === pods && status.completionTime) || undefined;
    },
    600_000,
  );
  console.log(`${jobs} Jobs of ${pods} pods complete: ${since(begin)}; most pods that ran at once: ${most}`);
  const ended = await client.send<List<Pod>>('GET', podsPath);
  equal(ended.items.length, jobs * pods);
  const messages = ended.items.map(
    ({ status }) => status?.containerStatuses?.[0]?.state?.terminated?.message,
  );
  deepEqual(new Set(messages), new Set([terminationMessage]));
  const perNode = count * gpus;
  if (most > perNode) throw new Error(`${most} pods ran on ${perNode} GPUs`);
}

/** A pod without a Job runs on; it goes when it is deleted, and so does a Job with its running pod. */
async function leave(client: Client): Promise<void> {
  const begin = performance.now();
  await client.send('POST', podsPath, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare' }, spec });
  await client.send('POST', namespaced, job('deleted'));
  for (const name of ['bare', 'deleted']) await waitFor(`${name} to run`, () => runs(client, name));
  await client.send('DELETE', `${namespaced}/deleted?propagationPolicy=Foreground`);
  await client.send('DELETE', `${podsPath}/bare`);
  for (const path of [`${namespaced}/deleted`, `${podsPath}/bare`]) {
    await waitFor(
      `${path} to go`,
      async () => (await client.request('GET', path)).status === 404 || undefined,
    );
  }
  console.log(`a pod and a Job with its pods came and went: ${since(begin)}`);
}

async function runs(client: Client, prefix: string): Promise<true | undefined> {
  const { items } = await client.send<List<Pod>>('GET', `${podsPath}?fieldSelector=status.phase=Running`);
  const pod = items.find(({ metadata }) => metadata.name.startsWith(prefix));
  return (
    pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') || undefined
  );
}

function job(name: string): object {
  const counts = { parallelism: pods, completions: pods, podReplacementPolicy: 'Failed' };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { ...counts, template: { spec } },
  };
}
