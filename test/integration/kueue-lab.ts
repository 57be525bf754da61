import type { TestContext } from 'vitest';
import type { Workload } from '../../operator/controllers/kinds.ts';
import type { Job } from '../../operator/jobs/objects.ts';
import type { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { experiment } from './operator-fixtures.ts';
import { openLab, type TestLab } from './operator-lab.ts';

const api = '/apis/kueue.x-k8s.io/v1beta2';
const gpu = 'nvidia.com/gpu';

type LabOptions = Parameters<typeof openLab>[2] & {
  /** GPUs of quota; 1 unless told. */
  readonly gpus?: number;
  /** Labels of the nodes of its ResourceFlavor. */
  readonly nodeLabels?: Readonly<Record<string, string>>;
  /** Beside the quota, such as `stopPolicy`. */
  readonly clusterQueue?: object;
};

/** A teacher and baselines of a GPU each in the queue of a KueueLab. @param spec beside or in place of that */
export function queuedStudy(spec: object = {}) {
  return experiment('study', { queue: 'vision', distillation: [], pod: { gpus: 1 }, ...spec });
}

/** A lab whose namespace has the LocalQueue `vision`, of a ClusterQueue and a ResourceFlavor of the namespace's name. */
export class KueueLab {
  readonly here: TestLab;
  readonly #client: Client;

  private constructor(here: TestLab) {
    this.here = here;
    this.#client = here.client;
  }

  static async open(
    context: TestContext,
    client: Client,
    { gpus = 1, nodeLabels = {}, clusterQueue = {}, ...options }: LabOptions = {},
  ): Promise<KueueLab> {
    const here = await openLab(context, client, options);
    const lab = new KueueLab(here);
    const { namespace: name } = here;
    await lab.#create('resourceflavors', 'ResourceFlavor', name, { nodeLabels });
    await lab.#create('clusterqueues', 'ClusterQueue', name, {
      namespaceSelector: {},
      preemption: { withinClusterQueue: 'LowerPriority' },
      resourceGroups: [
        { coveredResources: [gpu], flavors: [{ name, resources: [{ name: gpu, nominalQuota: gpus }] }] },
      ],
      ...clusterQueue,
    });
    await lab.localQueue('vision');
    await waitFor('the LocalQueue to be active', async () => {
      const path = `${api}/namespaces/${name}/localqueues/vision`;
      const { status } = await client.send<Workload>('GET', path);
      const active = status?.conditions?.find(({ type }) => type === 'Active');
      return active?.status === ('stopPolicy' in clusterQueue ? 'False' : 'True') || undefined;
    });
    return lab;
  }

  /** A Job of somebody else in the queue. @returns what ends it well, once it has its place */
  async rival(name: string, labels: Readonly<Record<string, string>> = {}): Promise<() => Promise<void>> {
    const path = `/apis/batch/v1/namespaces/${this.here.namespace}/jobs`;
    const container = {
      name: 'rival',
      image: 'rival',
      resources: { limits: { [gpu]: '1' } },
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      },
    };
    await this.#client.send('POST', path, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, labels: { 'kueue.x-k8s.io/queue-name': 'vision', ...labels } },
      spec: { suspend: true, template: { spec: { restartPolicy: 'Never', containers: [container] } } },
    });
    return async () => {
      const pod = await waitFor(`the pod of ${name}`, async () =>
        (await this.here.pods()).find(({ metadata }) => metadata.labels?.['job-name'] === name),
      );
      const path = `/api/v1/namespaces/${this.here.namespace}/pods/${pod.metadata.name}/status`;
      const status = { phase: 'Succeeded' };
      await this.#client.send('PATCH', path, { status }, { contentType: 'application/merge-patch+json' });
    };
  }

  /** Another LocalQueue of the same ClusterQueue. */
  async localQueue(name: string): Promise<void> {
    const { namespace } = this.here;
    await this.#client.send('POST', `${api}/namespaces/${namespace}/localqueues`, {
      apiVersion: 'kueue.x-k8s.io/v1beta2',
      kind: 'LocalQueue',
      metadata: { name },
      spec: { clusterQueue: namespace },
    });
  }

  /** Activates or deactivates the Workload of a Job, as an administrator does. */
  async activate(job: string, active: boolean): Promise<void> {
    const workload = (await this.workloads()).find(
      ({ metadata }) => metadata.ownerReferences?.[0]?.name === job,
    );
    await this.#patch(`namespaces/${this.here.namespace}/workloads/${workload?.metadata.name}`, {
      spec: { active },
    });
  }

  /** Waits until Kueue has let the Job go. */
  async admitted(name: string): Promise<Job> {
    return await waitFor(`the Job ${name} to be admitted`, async () => {
      const job = (await this.here.jobs()).find(({ metadata }) => metadata.name === name);
      return job?.spec?.suspend === false ? job : undefined;
    });
  }

  async workloads(): Promise<readonly Workload[]> {
    const path = `${api}/namespaces/${this.here.namespace}/workloads`;
    return (await this.#client.send<{ items: readonly Workload[] }>('GET', path)).items;
  }

  /** Names of the Jobs whose Workloads have been given quota. */
  async holders(): Promise<readonly string[]> {
    return (await this.workloads())
      .filter(({ status }) =>
        status?.conditions?.some(({ type, status: state }) => type === 'QuotaReserved' && state === 'True'),
      )
      .flatMap(({ metadata }) => metadata.ownerReferences?.[0]?.name ?? []);
  }

  /** Changes the ClusterQueue, such as `{ stopPolicy: 'None' }`. */
  async changeQueue(spec: object): Promise<void> {
    await this.#patch(`clusterqueues/${this.here.namespace}`, { spec });
  }

  async deleteQueue(): Promise<void> {
    await this.#patch(`clusterqueues/${this.here.namespace}`, { metadata: { finalizers: null } });
    await this.#client.send('DELETE', `${api}/clusterqueues/${this.here.namespace}`);
  }

  /** @returns its name, of this lab alone */
  async priorityClass(prefix: string, value: number): Promise<string> {
    const name = `${prefix}-${this.here.namespace}`;
    await this.#client.send('POST', `${api}/workloadpriorityclasses`, {
      apiVersion: 'kueue.x-k8s.io/v1beta2',
      kind: 'WorkloadPriorityClass',
      metadata: { name },
      value,
    });
    return name;
  }

  async #create(plural: string, kind: string, name: string, spec: object): Promise<void> {
    await this.#client.send('POST', `${api}/${plural}`, {
      apiVersion: 'kueue.x-k8s.io/v1beta2',
      kind,
      metadata: { name },
      spec,
    });
  }

  async #patch(path: string, patch: object): Promise<void> {
    await this.#client.send('PATCH', `${api}/${path}`, patch, {
      contentType: 'application/merge-patch+json',
    });
  }
}
