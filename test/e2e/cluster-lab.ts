import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Experiment, Run } from '../../operator/controllers/kinds.ts';
import { chart, helm } from '../charts/helm.ts';
import type { Client } from '../cluster/client.ts';
import { bringUp, importImages } from '../cluster/real/cluster.ts';
import { addVolume } from '../cluster/real/volume.ts';
import { waitFor } from '../cluster/wait.ts';
import { Watch } from './watch.ts';

const root = join(import.meta.dirname, '../..');
const images = join(root, '.tools/images');
export const examples = join(root, 'examples');
const release = ['destillml', chart, '--namespace', 'destillml-system'];

/** Who may read the operator's metrics: the Prometheus of prometheus.ts. */
export const monitoring = { namespace: 'monitoring', serviceAccount: 'prometheus' };

/** Networks are trained in turn on the few cores that everything else runs on, too. */
const patience = 15 * 60_000;

/**
 * A lab's namespace, which enforces `restricted`, in the real cluster, and an operator that Helm has installed there from
 * the images of the Dockerfiles.
 */
export class ClusterLab {
  readonly client: Client;
  readonly namespace: string;
  /** Folder of this machine that is the volume of the claim `experiments`. */
  readonly volume: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'destillml-lab-'));

  private constructor(client: Client, namespace: string, volume: string) {
    this.client = client;
    this.namespace = namespace;
    this.volume = volume;
  }

  /** Brings up the cluster, if it is not, and installs the chart, if it is not. */
  static async open(): Promise<ClusterLab> {
    const client = await bringUp({ install: process.env.CI === 'true', say: console.log });
    for (const name of ['operator', 'trainer-cpu']) await importImages(join(images, `${name}.tar`));
    const values = {
      // Nobody computes on the GPUs of this cluster: they are only counted.
      trainerImages: { gpu: { tag: '0.1.0-cpu' } },
      metrics: { readers: [monitoring] },
      // What is to be interrupted in the middle is over in half a minute.
      progressInterval: 1,
    };
    const flags = ['--create-namespace', '--wait', '--timeout', '2m', '--set-json', JSON.stringify(values)];
    await helm(['upgrade', '--install', ...release, ...flags], client.access);
    const namespace = await client.newNamespace('lab', {
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    const volume = await addVolume(client, { namespace, claim: 'experiments' });
    await client.kubectl(`--namespace=${namespace}`, 'apply', `--filename=${join(examples, 'storage.yaml')}`);
    return new ClusterLab(client, namespace, volume);
  }

  async close(): Promise<void> {
    await this.client.send('DELETE', `/api/v1/namespaces/${this.namespace}`);
    this.client.close();
    rmSync(this.#folder, { recursive: true });
  }

  /** What kubectl prints, in this namespace. @throws Error with what it says is wrong */
  kubectl(...flags: readonly string[]): Promise<string> {
    return this.client.kubectl(`--namespace=${this.namespace}`, ...flags);
  }

  async get<T>(...what: readonly string[]): Promise<T> {
    return JSON.parse(await this.kubectl('get', ...what, '--output=json'));
  }

  /** `kubectl apply -f` of a file that holds it. */
  async apply(manifest: object): Promise<string> {
    const file = join(this.#folder, `${randomUUID()}.yaml`);
    writeFileSync(file, stringify(manifest));
    return await this.kubectl('apply', `--filename=${file}`);
  }

  /** @param columns such as `metadata.name` */
  watch(what: string, columns: readonly string[]): Promise<Watch> {
    return Watch.start(this.client.access, [`--namespace=${this.namespace}`, 'get', what], columns);
  }

  async runsOf(experiment: string): Promise<readonly Run[]> {
    const selector = `--selector=destillml.io/experiment=${experiment}`;
    return (await this.get<{ items: readonly Run[] }>('drun', selector)).items;
  }

  /** The Run of an Experiment that has this role, once it is as it should be. */
  runThat(experiment: string, role: string, is: (run: Run) => boolean, what: string): Promise<Run> {
    return waitFor(
      `the ${role} of ${experiment} to ${what}`,
      async () => (await this.runsOf(experiment)).find((run) => run.spec.parameters.role === role && is(run)),
      patience,
    );
  }

  /** The Experiment, once it has ended. */
  ended(experiment: string): Promise<Experiment> {
    return waitFor(
      `the Experiment ${experiment} to end`,
      async () => {
        const found = await this.get<Experiment>(`dexp/${experiment}`);
        return /^(Complete|Failed)$/.test(found.status?.phase ?? '') ? found : undefined;
      },
      patience,
    );
  }

  /** Deletes the pod of a Run that trains. @returns what the pod after it has logged when it says where it goes on */
  async bereave(run: string): Promise<string> {
    const before = await this.#podsOf(run);
    await this.kubectl('delete', '--wait=false', ...before);
    return await waitFor(
      `another pod of ${run} to go on`,
      async () => {
        const [next] = (await this.#podsOf(run)).filter((pod) => !before.includes(pod));
        const log = next && (await this.kubectl('logs', next).catch(() => ''));
        return log?.includes('Going on from epoch') ? log : undefined;
      },
      patience,
    );
  }

  /** Names of the pods of a Run that have not ended. */
  async #podsOf(run: string): Promise<readonly string[]> {
    const selector = `--selector=batch.kubernetes.io/job-name=${run}`;
    const living = '--field-selector=status.phase!=Succeeded,status.phase!=Failed';
    const printed = await this.kubectl('get', 'pods', selector, living, '--output=name');
    return printed.split('\n').filter((line) => line !== '');
  }
}

export function hasEpochs(count: number): (run: Run) => boolean {
  return ({ status }) => (status?.progress?.epoch ?? 0) >= count;
}
