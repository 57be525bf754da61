/**
 * Whether an operator stays as it is: `make soak`, or `node test/bench/soak.ts [--experiments N] [--minutes M]`.
 *
 * 40 Experiments one after another in an hour, on a real control plane whose nodes kwok plays, behind a bad network
 * (test/integration/chaos-proxy.ts), with an API server that is restarted at every tenth. Each Experiment is deleted
 * when its results have been compared. Prints memory, open files and handles after each, and what they grew by in an
 * hour over the second half; fails where a result is missing.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Run } from '../../operator/controllers/kinds.ts';
import type { Experiment } from '../../src/api/experiment.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { plainKubeconfig } from '../cluster/credentials.ts';
import { waitFor } from '../cluster/wait.ts';
import { ChaosProxy } from '../integration/chaos-proxy.ts';
import { trained } from '../integration/kubelet.ts';
import { claim, startOperator, total } from './operator-process.ts';

const { values } = parseArgs({
  options: { experiments: { type: 'string', default: '40' }, minutes: { type: 'string', default: '60' } },
});
const experiments = Number(values.experiments);
const each = (60_000 * Number(values.minutes)) / experiments;
const base = '/apis/destillml.io/v1alpha1/namespaces/default';
const accuracy = 0.7561;

type Sample = {
  readonly hours: number;
  readonly residentMiB: number;
  readonly heapMiB: number;
  readonly files: number;
  readonly handles: number;
};

const controlPlane = await startControlPlane({
  crds: true,
  scheduler: true,
  nodes: {
    count: 4,
    gpus: 8,
    runMilliseconds: 5_000,
    terminationMessage: JSON.stringify(trained({ testAccuracy: accuracy })),
  },
});
const folder = mkdtempSync(join(tmpdir(), 'destill-soak-'));
let lost = 0;
try {
  lost = await soak(controlPlane);
} finally {
  await controlPlane.stop();
  rmSync(folder, { recursive: true });
}
process.exit(lost === 0 ? 0 : 1);

/** @returns how many results are missing or wrong */
async function soak({ client, access }: ControlPlane): Promise<number> {
  await claim(client);
  const proxy = await ChaosProxy.open(access, 1);
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, plainKubeconfig(proxy.url, access.tokens.admin), { mode: 0o600 });
  // The first request of an operator has to succeed.
  proxy.isCalm = true;
  const operator = await startOperator(client, kubeconfig);
  proxy.isCalm = false;
  const began = performance.now();
  const samples: Sample[] = [];
  let [runs, wrong] = [0, 0];
  console.log('experiment  minute  resident MiB  heap MiB  files  handles  Runs  wrong');
  for (let index = 1; index <= experiments; index += 1) {
    const name = `study-${index}`;
    await client.send('POST', `${base}/experiments`, study(name));
    if (index % 10 === 0) await controlPlane.restartApiServer();
    await waitFor(`${name} to be Complete`, () => isComplete(name), 600_000);
    const { items } = await client.send<{ items: readonly Run[] }>('GET', `${base}/runs`);
    const own = items.filter(({ spec }) => spec.experiment === name);
    runs += own.length;
    wrong += own.filter(
      ({ status }) => status?.result?.testAccuracy !== accuracy || status.attempts !== 1,
    ).length;
    await client.send('DELETE', `${base}/experiments/${name}`);
    await pause(Math.max(5_000, index * each - (performance.now() - began)));
    const metrics = await operator.metrics();
    const sample = {
      hours: (performance.now() - began) / 3_600_000,
      residentMiB: operator.residentMiB(),
      heapMiB: total(metrics, 'nodejs_heap_size_used_bytes') / 2 ** 20,
      files: operator.descriptors(),
      handles: total(metrics, 'nodejs_active_handles_total'),
    };
    samples.push(sample);
    const row = [
      index,
      (60 * sample.hours).toFixed(1),
      sample.residentMiB.toFixed(0),
      sample.heapMiB.toFixed(0),
      sample.files,
      sample.handles,
      runs,
      wrong,
    ];
    console.log(
      row.map((cell, column) => String(cell).padStart([10, 7, 13, 9, 6, 8, 5, 6][column] ?? 0)).join(' '),
    );
  }
  const later = samples.slice(samples.length / 2);
  const growth = (key: 'residentMiB' | 'heapMiB' | 'files' | 'handles') =>
    slope(later.map((sample) => [sample.hours, sample[key]])).toFixed(1);
  console.log(
    `\ngrowth in an hour, over the second half: resident ${growth('residentMiB')} MiB, heap ${growth('heapMiB')} MiB, files ${growth('files')}, handles ${growth('handles')}`,
  );
  console.log(
    `most resident memory ${operator.peakMiB().toFixed(0)} MiB; ${runs} Runs, ${wrong} without their result; the network: ${JSON.stringify(proxy.mishaps)}`,
  );
  await operator.stop();
  await proxy.close();
  return wrong;
}

async function isComplete(name: string): Promise<true | undefined> {
  const { status } = await controlPlane.client.send<Experiment>('GET', `${base}/experiments/${name}`);
  return status?.phase === 'Complete' || undefined;
}

/** A teacher, and for two seeds a baseline and three arms. */
function study(name: string): object {
  return {
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Experiment',
    metadata: { name },
    spec: {
      dataset: { name: 'fashion-mnist', source: { packaged: {} } },
      teacher: { model: 'resnet14' },
      students: [{ name: 'small', model: 'resnet8' }],
      distillation: [
        { name: 'soft', softTargets: {} },
        { name: 'attention', attentionTransfer: {} },
        { name: 'similarity', similarityPreserving: {} },
      ],
      seeds: [1, 2],
      storage: { persistentVolumeClaim: { claimName: 'experiments' } },
      pod: { gpus: 1 },
      parallelism: 8,
    },
  };
}

/** Of the line that fits best. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, value]) => value))];
  const covariance = mean(points.map(([at, value]) => (at - x) * (value - y)));
  return covariance / mean(points.map(([at]) => (at - x) ** 2));
}
