import type { Job } from '../../operator/jobs/objects.ts';
import type { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';

/**
 * Kueue's definitions of LocalQueue, Workload and WorkloadPriorityClass (0.14 serves v1beta1, 0.15 v1beta2 also), cut down to what is read
 * of them: the real one of Workload, with the whole pod in it, is a file of 700 KB.
 */
function kueueDefinitions(...versions: readonly ('v1beta1' | 'v1beta2')[]): readonly object[] {
  const text = { type: 'string' };
  const object = (properties: object) => ({ type: 'object', properties });
  const whatever = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const conditions = {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
    items: {
      ...object({
        type: text,
        status: text,
        reason: text,
        message: text,
        observedGeneration: { type: 'integer' },
        lastTransitionTime: { ...text, format: 'date-time' },
      }),
      required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
    },
  };
  const podSets = { type: 'array', items: whatever };
  const status = { ...whatever, properties: { conditions } };
  const schemas = {
    LocalQueue: object({ spec: object({ clusterQueue: text }), status: whatever }),
    Workload: object({
      spec: object({ active: { type: 'boolean', default: true }, queueName: text, podSets }),
      status,
    }),
    WorkloadPriorityClass: object({ value: { type: 'integer' } }),
  };
  return Object.entries(schemas).map(([kind, openAPIV3Schema]) => {
    const singular = kind.toLowerCase();
    const plural = kind === 'WorkloadPriorityClass' ? `${singular}es` : `${singular}s`;
    return {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: {
        name: `${plural}.${group}`,
        // The API server keeps the group to itself otherwise.
        annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/kueue' },
      },
      spec: {
        group,
        scope: kind === 'WorkloadPriorityClass' ? 'Cluster' : 'Namespaced',
        names: { kind, singular, plural },
        versions: versions.map((name, index) => ({
          name,
          served: true,
          storage: index === 0,
          schema: { openAPIV3Schema },
          subresources: { status: {} },
        })),
      },
    };
  });
}

const group = 'kueue.x-k8s.io';

/** Installs the definitions, and waits until their objects are served. */
export async function installKueue(
  client: Client,
  ...versions: readonly ('v1beta1' | 'v1beta2')[]
): Promise<void> {
  for (const definition of kueueDefinitions(...versions)) {
    const { name } = (definition as { metadata: { name: string } }).metadata;
    await client.send(
      'PATCH',
      `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}?fieldManager=test&force=true`,
      JSON.stringify(definition),
      { contentType: 'application/apply-patch+yaml' },
    );
  }
  for (const version of versions) {
    for (const plural of ['localqueues', 'workloads', 'workloadpriorityclasses']) {
      await waitFor(`${version} ${plural} to be served`, async () => {
        const { status } = await client.request('GET', `/apis/${group}/${version}/${plural}?limit=1`);
        return status === 200 || undefined;
      });
    }
  }
}

type Condition = {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
};
type Workload = {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly Condition[] };
};

/**
 * What Kueue does with a Job, as a test tells it to: after pkg/workload and pkg/controller/jobframework of Kueue 0.14.
 * It writes to Workloads and Jobs alone; the pods are the Job controller's.
 */
export class Kueue {
  readonly #client: Client;
  readonly #namespace: string;
  readonly #version: string;

  constructor(client: Client, namespace: string, version: 'v1beta1' | 'v1beta2' = 'v1beta1') {
    this.#client = client;
    this.#namespace = namespace;
    this.#version = version;
  }

  async createQueue(name: string): Promise<void> {
    await this.#client.send('POST', this.#path('localqueues'), {
      apiVersion: `${group}/${this.#version}`,
      kind: 'LocalQueue',
      metadata: { name },
      spec: { clusterQueue: 'lab' },
    });
  }

  /** Takes a Job up: the Workload is made, and waits for quota. */
  async takeUp({ metadata, spec }: Job): Promise<void> {
    const { name, uid, labels = {} } = metadata;
    await this.#client.send('POST', this.#path('workloads'), {
      apiVersion: `${group}/${this.#version}`,
      kind: 'Workload',
      metadata: {
        name: nameOf(metadata),
        labels: { [`${group}/job-uid`]: uid },
        ownerReferences: [
          { apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true, blockOwnerDeletion: true },
        ],
      },
      spec: {
        queueName: labels[`${group}/queue-name`],
        podSets: [{ name: 'main', count: 1, template: { spec: spec?.template.spec } }],
      },
    });
  }

  async pend(job: Job, message: string): Promise<void> {
    await this.#set(job, [{ type: 'QuotaReserved', status: 'False', reason: 'Pending', message }]);
  }

  /** Quota is there; admission checks may still be open. */
  async reserve(
    job: Job,
    checks: readonly { name: string; state: string; message: string }[] = [],
  ): Promise<void> {
    const message = 'Quota reserved in ClusterQueue lab';
    const before = (await this.#workload(job)).status?.conditions ?? [];
    const over = before.flatMap(({ type, status, message: previous }) =>
      /^(Evicted|Preempted)$/.test(type) && status === 'True'
        ? [{ type, status: 'False', reason: 'QuotaReserved', message: `Previously: ${previous}` } as const]
        : [],
    );
    const reserved = { type: 'QuotaReserved', status: 'True', reason: 'QuotaReserved', message } as const;
    const lastTransitionTime = new Date().toISOString();
    const admissionChecks = checks.map((check) => ({ ...check, lastTransitionTime }));
    const admission = { clusterQueue: 'lab', podSetAssignments: [{ name: 'main', count: 1 }] };
    await this.#set(job, [reserved, ...over], { admission, admissionChecks });
  }

  async admit(job: Job): Promise<void> {
    await this.reserve(job);
    const message = 'The workload is admitted';
    await this.#set(job, [{ type: 'Admitted', status: 'True', reason: 'Admitted', message }]);
  }

  /** Starts an admitted Job, on the nodes of the flavor that it was given. */
  async start(job: Job): Promise<void> {
    const nodeSelector = { 'gpu.example/flavor': 'a100' };
    await this.#patchJob(job, { spec: { suspend: false, template: { spec: { nodeSelector } } } });
  }

  /** The first of what becomes of a Workload that gives way. */
  async evict(job: Job, reason: string, message: string): Promise<void> {
    const more = reason === 'Preempted' ? [{ type: 'Preempted', reason: 'InClusterQueue' }] : [];
    const all = [{ type: 'Evicted', reason }, ...more];
    await this.#set(
      job,
      all.map((one) => ({ ...one, status: 'True', message })),
    );
  }

  /** Then the Job: it is suspended, and then as it was before it was started. */
  async stop(job: Job): Promise<void> {
    const annotation = `${group}/stopping`;
    await this.#patchJob(job, {
      metadata: { annotations: { [annotation]: 'true' } },
      spec: { suspend: true },
    });
    await waitFor('the Job controller to see that', async () => {
      const { status } = await this.#client.send<Job>('GET', this.#jobPath(job));
      return status?.startTime === undefined || undefined;
    });
    await this.#patchJob(job, {
      metadata: { annotations: { [annotation]: null } },
      spec: { template: { spec: { nodeSelector: null } } },
    });
  }

  /** Once no pod of the Job is left, its quota is free. */
  async release(job: Job, message: string): Promise<void> {
    await waitFor('its pods to have ended', async () => {
      const { status } = await this.#client.send<Job>('GET', this.#jobPath(job));
      return (status?.active ?? 0) === 0 || undefined;
    });
    const conditions: readonly Condition[] = [
      { type: 'QuotaReserved', status: 'False', reason: 'Pending', message },
      {
        type: 'Admitted',
        status: 'False',
        reason: 'NoReservation',
        message: 'The workload has no reservation',
      },
      { type: 'Requeued', status: 'True', reason: 'Preempted', message },
    ];
    await this.#set(job, conditions, { admission: null });
  }

  /** As an administrator does it. */
  async setActive(job: Job, active: boolean): Promise<void> {
    await this.#client.send(
      'PATCH',
      this.#path('workloads', nameOf(job.metadata)),
      { spec: { active } },
      { contentType: 'application/merge-patch+json' },
    );
  }

  async finish(job: Job, reason: string, message: string): Promise<void> {
    await this.#set(job, [{ type: 'Finished', status: 'True', reason, message }]);
  }

  async #set(job: Job, changes: readonly Condition[], status: object = {}): Promise<void> {
    const before = (await this.#workload(job)).status?.conditions ?? [];
    const types = new Set(changes.map(({ type }) => type));
    const lastTransitionTime = new Date().toISOString();
    const conditions = [
      ...before.filter(({ type }) => !types.has(type)),
      ...changes.map((change) => ({ ...change, lastTransitionTime })),
    ];
    await this.#client.send(
      'PATCH',
      `${this.#path('workloads', nameOf(job.metadata))}/status`,
      { status: { ...status, conditions } },
      { contentType: 'application/merge-patch+json' },
    );
  }

  #workload(job: Job): Promise<Workload> {
    return this.#client.send('GET', this.#path('workloads', nameOf(job.metadata)));
  }

  async #patchJob(job: Job, patch: object): Promise<void> {
    await this.#client.send('PATCH', this.#jobPath(job), patch, {
      contentType: 'application/merge-patch+json',
    });
  }

  #jobPath({ metadata: { namespace, name } }: Job): string {
    return `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`;
  }

  #path(plural: string, name = ''): string {
    return `/apis/${group}/${this.#version}/namespaces/${this.#namespace}/${plural}/${name}`.replace(
      /\/$/,
      '',
    );
  }
}

function nameOf({ name, uid = '' }: Job['metadata']): string {
  return `job-${name.slice(0, 53)}-${uid.slice(0, 5)}`;
}
