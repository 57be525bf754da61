import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Experiment, Run } from '../../operator/controllers/kinds.ts';
import { chart, helm } from '../charts/helm.ts';
import type { Client } from '../cluster/client.ts';
import { bringUp, importImages } from '../cluster/real/cluster.ts';
import { addVolume } from '../cluster/real/volume.ts';
import { waitFor } from '../cluster/wait.ts';
import { createClaim } from './pods.ts';

const root = join(import.meta.dirname, '../..');
const minutes = 60_000;
/** Trained in turn on two cores that everything else runs on, too. */
const patience = 15 * minutes;

let client: Client;
let namespace: string;
/** Folder of this machine that the claim `experiments` is. */
let volume: string;

beforeAll(async () => {
  client = await bringUp({ install: process.env.CI === 'true', say: console.log });
  for (const name of ['operator', 'trainer-cpu']) await importImages(join(root, `.tools/images/${name}.tar`));
  const flags = ['--namespace', 'destillml', '--create-namespace', '--wait', '--timeout', '2m'];
  await helm(['upgrade', '--install', 'destillml', chart, ...flags], client.access);
  namespace = await client.newNamespace('lab', { 'pod-security.kubernetes.io/enforce': 'restricted' });
  volume = await addVolume(client, { namespace, claim: 'experiments' });
  await createClaim(client, namespace, 'experiments');
}, 5 * minutes);

afterAll(async () => {
  await client?.send('DELETE', `/api/v1/namespaces/${namespace}`);
  client?.close();
});

const kubectl = (...flags: readonly string[]) => client.kubectl(`--namespace=${namespace}`, ...flags);

async function get<T>(...what: readonly string[]): Promise<T> {
  return JSON.parse(await kubectl('get', ...what, '--output=json'));
}

/** GPUs of the node that pods have at the moment. */
async function gpusInUse(): Promise<number> {
  const { items } = await get<{ items: readonly GpuPod[] }>('pods');
  return items
    .filter(({ spec, status }) => spec.nodeName !== undefined && !/Succeeded|Failed/.test(status.phase))
    .flatMap(({ spec }) => spec.containers)
    .reduce((sum, { resources }) => sum + Number(resources?.limits?.['nvidia.com/gpu'] ?? 0), 0);
}

type GpuPod = {
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly { readonly resources?: { readonly limits?: Record<string, string> } }[];
  };
  readonly status: { readonly phase: string };
};

/** The quickstart, but on GPUs, of which the node has two; nobody computes on them. */
function quickstart(): object {
  const { spec, ...rest } = parse(readFileSync(join(root, 'examples/quickstart.yaml'), 'utf8'));
  const pod = { gpus: 1, image: 'destillml/trainer:0.1.0-cpu' };
  return { ...rest, spec: { ...spec, pod, parallelism: 4 } };
}

describe('the quickstart', () => {
  it(
    'is trained in pods on two GPUs, and its results are in its status and on the volume',
    async () => {
      await client.send(
        'POST',
        `/apis/destillml.io/v1alpha1/namespaces/${namespace}/experiments`,
        quickstart(),
      );
      let most = 0;
      await waitFor(
        'the Experiment to end',
        async () => {
          most = Math.max(most, await gpusInUse());
          const { status } = await get<Experiment>('dexp/quickstart');
          return status?.phase === 'Complete' || status?.phase === 'Failed' ? true : undefined;
        },
        patience,
      );
      expect(most).toBe(2);
      await kubectl('wait', '--for=condition=Complete', '--timeout=10s', 'experiment/quickstart');

      const { status } = await get<Experiment>('dexp/quickstart');
      expect(status).toMatchObject({ phase: 'Complete', runs: { Succeeded: 5 } });
      // Far above chance, which is a tenth.
      expect(status?.teacherAccuracy?.mean).toBeGreaterThan(0.6);
      expect(status?.best?.testAccuracy.mean).toBeGreaterThan(0.6);
      expect(status?.gpuSeconds).toBeGreaterThan(0);

      const { items: runs } = await get<{ items: readonly Run[] }>('drun');
      for (const { metadata, status: run } of runs) {
        expect(run).toMatchObject({
          phase: 'Succeeded',
          attempts: 1,
          progress: { epoch: 6, epochs: 6 },
          history: { length: 6 },
        });
        const files = readdirSync(join(volume, namespace, 'quickstart', metadata.name));
        expect(files).toEqual(expect.arrayContaining(['checkpoints', 'history.jsonl', 'result.json']));
      }
      const table = await kubectl('get', 'dexp,drun');
      console.log(table);
      expect(table).toMatch(/experiment\.destillml\.io\/quickstart +Complete +5/);
      const events = await kubectl(
        'get',
        'events',
        '--output=custom-columns=REASON:.reason,OF:.involvedObject.kind',
      );
      for (const reason of ['RunsCreated', 'Started', 'Trained', 'TeacherSucceeded', 'AllRunsSucceeded']) {
        expect(events).toContain(reason);
      }
    },
    patience,
  );
});
