import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { Run } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { loadKubeConfig } from '@destillml/operator/runtime/kube-config.ts';
import {
  ApiException,
  CoreV1Api,
  type CoreV1Event,
  CustomObjectsApi,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';

export type ClusterOptions = {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
};

/** Built-in roles that allow it. */
const roles = { get: 'view', list: 'view', patch: 'edit', delete: 'edit' } as const;

const api = { group: 'destillml.io', version: 'v1alpha1' } as const;

/** What of a cluster its users may see and do: the built-in roles `view` and `edit` allow all of it. */
export class Cluster {
  readonly namespace: string;
  readonly #server: string;
  readonly #objects: CustomObjectsApi;
  readonly #core: CoreV1Api;

  /** @throws DestillError `Environment` where there is no cluster to talk to */
  constructor({ kubeconfig, context, namespace }: ClusterOptions) {
    const config = loadKubeConfig({
      ...(kubeconfig === undefined ? {} : { file: kubeconfig }),
      ...(context === undefined ? {} : { context }),
    });
    this.#server = config.getCurrentCluster()?.server ?? '';
    this.namespace = namespace ?? config.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
    this.#objects = config.makeApiClient(CustomObjectsApi);
    this.#core = config.makeApiClient(CoreV1Api);
  }

  async run(name: string): Promise<Run> {
    const found = await this.#run(name);
    if (found === undefined) {
      throw new DestillError(
        'InvalidSpec',
        `there is no Run ${name} in the namespace ${this.namespace}: kubectl get drun --namespace ${this.namespace} lists them`,
      );
    }
    return found;
  }

  async #run(name: string): Promise<Run | undefined> {
    return (await this.#asked('get', 'runs', () =>
      this.#objects.getNamespacedCustomObject({ ...api, namespace: this.namespace, plural: 'runs', name }),
    )) as Run | undefined;
  }

  async experiment(name: string): Promise<Experiment | undefined> {
    return (await this.#asked('get', 'experiments', () =>
      this.#objects.getNamespacedCustomObject({
        ...api,
        namespace: this.namespace,
        plural: 'experiments',
        name,
      }),
    )) as Experiment | undefined;
  }

  /** Of the namespace, or of all. @param selector of labels */
  async runs(everywhere = false, selector?: string): Promise<readonly Run[]> {
    const labels = selector === undefined ? {} : { labelSelector: selector };
    const where = everywhere ? 'in all namespaces' : undefined;
    const listed = await this.#asked(
      'list',
      'runs',
      () =>
        everywhere
          ? this.#objects.listClusterCustomObject({ ...api, plural: 'runs', ...labels })
          : this.#objects.listNamespacedCustomObject({
              ...api,
              namespace: this.namespace,
              plural: 'runs',
              ...labels,
            }),
      where,
    );
    if (listed === undefined) {
      throw new DestillError(
        'Environment',
        `the cluster at ${this.#server} has no Runs: is DestillML installed there?`,
      );
    }
    return (listed as { readonly items: readonly Run[] }).items;
  }

  /** @throws DestillError `InvalidSpec` where there is neither the Experiment nor a Run of it */
  async runsOf(experiment: string): Promise<readonly Run[]> {
    const runs = await this.runs(false, `destillml.io/experiment=${experiment}`);
    if (runs.length === 0 && (await this.experiment(experiment)) === undefined) {
      throw noExperiment(this, experiment);
    }
    return runs;
  }

  /** Lets the Runs of an Experiment train, or not. @throws DestillError `InvalidSpec` where it is not there */
  async suspend(experiment: string, suspend: boolean): Promise<void> {
    const patched = await this.#asked('patch', 'experiments', () =>
      this.#objects.patchNamespacedCustomObject(
        {
          ...api,
          namespace: this.namespace,
          plural: 'experiments',
          name: experiment,
          body: { spec: { suspend } },
          fieldManager: 'destill',
        },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      ),
    );
    if (patched === undefined) throw noExperiment(this, experiment);
  }

  /** The operator makes it anew, which goes on from the last checkpoint. */
  async delete({ metadata: { name } }: Run): Promise<void> {
    await this.#asked('delete', 'runs', () =>
      this.#objects.deleteNamespacedCustomObject({ ...api, namespace: this.namespace, plural: 'runs', name }),
    );
  }

  /** The teacher of these Runs, if it is none of them, and one of the namespace that still is there. */
  async foreignTeacher(runs: readonly Run[]): Promise<Run | undefined> {
    const taught = runs.find(({ spec: { parameters } }) => parameters.teacherRun !== undefined);
    const { teacherRun, teacherNamespace } = taught?.spec.parameters ?? {};
    if (teacherRun === undefined || teacherNamespace !== undefined) return undefined;
    if (runs.some(({ metadata }) => metadata.name === teacherRun)) return undefined;
    return await this.#run(teacherRun);
  }

  /** Warnings about an object, the newest last. */
  async warnings(name: string): Promise<readonly CoreV1Event[]> {
    const listed = await this.#asked('list', 'events', () =>
      this.#core.listNamespacedEvent({
        namespace: this.namespace,
        fieldSelector: `involvedObject.name=${name},type=Warning`,
      }),
    );
    return (listed?.items ?? []).toSorted((a, b) => timeOf(a) - timeOf(b));
  }

  /** Undefined: it is not there. @throws DestillError that says what is missing */
  async #asked<Found>(
    verb: keyof typeof roles,
    what: string,
    ask: () => Promise<Found>,
    where = `in the namespace ${this.namespace}`,
  ): Promise<Found | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof ApiException) {
        if (error.code === 404) return undefined;
        if (error.code === 401) {
          throw new DestillError(
            'Environment',
            `the cluster at ${this.#server} does not know you (401): log in again`,
          );
        }
        if (error.code === 403) {
          throw new DestillError(
            'Environment',
            `you may not ${verb} ${what} ${where}: ask its admin for the role ${roles[verb]}`,
          );
        }
        throw new DestillError(
          'Environment',
          `the cluster at ${this.#server} answers ${error.code}: ${bodyOf(error)}`,
        );
      }
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new DestillError('Environment', `the cluster at ${this.#server} does not answer: ${why}`, {
        cause: error,
      });
    }
  }
}

function noExperiment({ namespace }: Cluster, name: string): DestillError {
  return new DestillError(
    'InvalidSpec',
    `there is no Experiment ${name} in the namespace ${namespace}: kubectl get dexp --namespace ${namespace} lists them`,
  );
}

function bodyOf({ body }: ApiException<unknown>): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function timeOf({ eventTime, lastTimestamp, metadata }: CoreV1Event): number {
  return new Date(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? 0).getTime();
}
