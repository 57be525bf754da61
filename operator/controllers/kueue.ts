import type { Logger } from 'pino';
import { priorityLabel } from '../jobs/kueue-labels.ts';
import type { ApiClient } from '../runtime/api-client.ts';
import { isForbidden, isNotFound } from '../runtime/api-error.ts';
import { Cache, ownerUids, withoutManagedFields } from '../runtime/cache.ts';
import { type Clock, type Random, sleep } from '../runtime/clock.ts';
import { Collection } from '../runtime/collection.ts';
import { type KubeObject, keyOf, type Resource } from '../runtime/resource.ts';
import {
  type KueueVersion,
  kueueGroup,
  kueueVersions,
  localQueues,
  type Workload,
  workloadPriorityClasses,
  workloads,
} from './kinds.ts';

export type KueueOptions = {
  readonly client: Pick<ApiClient, 'list' | 'watch' | 'request'>;
  readonly namespaces: readonly string[] | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
};

/** Whether Kueue is installed is looked at so often, until it is; milliseconds. */
const pause = 15_000;

/** Why an Experiment with a queue cannot start anything. */
export type QueueProblem = { readonly reason: string; readonly message: string };

/** What is seen of Kueue: its Workloads, LocalQueues and WorkloadPriorityClasses, while it is installed, which it may never be. */
export class Kueue {
  /** By owner's uid in the index `owner`. */
  readonly workloads: Cache<Workload>;
  readonly queues: Cache<KubeObject>;
  /** Resolved once everything of Kueue is known, or that there is no Kueue. */
  readonly synced: Promise<void>;
  readonly #options: KueueOptions;
  readonly #priorityClasses: Cache<KubeObject>;
  /** When the Workload of a uid was first seen, in monotonic milliseconds. */
  readonly #seen = new Map<string, number>();
  #sync: () => void = () => undefined;
  #isSynced = false;
  #isFound = false;
  /** Not where the operator has rights in some namespaces only. */
  #readsPriorityClasses = false;
  readonly #listeners = new Set<() => void>();

  constructor(options: KueueOptions) {
    this.#options = options;
    const onHandlerError = (err: unknown) => options.log.error({ err }, 'a change of Kueue was not handled');
    this.workloads = new Cache({ indexers: { owner: ownerUids }, trim: withoutPodSets, onHandlerError });
    this.queues = new Cache({ onHandlerError });
    this.#priorityClasses = new Cache({ onHandlerError });
    this.synced = new Promise((resolve) => {
      this.#sync = resolve;
    });
    this.workloads.subscribe(({ type, object: { metadata } }) => {
      if (type === 'added') this.#seen.set(metadata.uid ?? '', options.clock.monotonic());
      if (type === 'deleted') this.#seen.delete(metadata.uid ?? '');
    });
    this.#priorityClasses.subscribe(({ type }) => {
      if (type !== 'updated') this.#tell();
    });
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Calls back when Kueue was installed or taken away, and when a priority class was. @returns what ends that */
  whenChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How long a Workload has been seen here, in milliseconds. */
  knownFor({ metadata }: Workload): number {
    const now = this.#options.clock.monotonic();
    return now - (this.#seen.get(metadata.uid ?? '') ?? now);
  }

  /** Until `signal` is aborted; it never fails. */
  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    while (!signal.aborted) {
      const version = await this.#find(signal);
      if (version === undefined) return;
      log.info({ version }, 'Kueue found');
      await this.#follow(version, signal);
      if (signal.aborted) return;
      this.#lost();
      log.warn('Kueue was taken away');
    }
  }

  /** Why nothing can be put into this queue, if so. */
  problem({ namespace, name, priorityClass }: QueuePlace): QueueProblem | undefined {
    if (!this.#isFound) {
      return {
        reason: 'KueueNotInstalled',
        message: `spec.queue is ${name}, but Kueue is not installed in this cluster. Install it (https://kueue.sigs.k8s.io), or remove spec.queue.`,
      };
    }
    if (this.queues.get(keyOf({ namespace, name })) === undefined) {
      const others = [...this.queues.values()].filter(({ metadata }) => metadata.namespace === namespace);
      return {
        reason: 'LocalQueueNotFound',
        message: `spec.queue is ${name}, but there is no such LocalQueue in namespace ${namespace} (it has ${namesOf(others)}). Create it, or correct spec.queue.`,
      };
    }
    const unknown =
      this.#readsPriorityClasses &&
      priorityClass !== undefined &&
      this.#priorityClasses.get(priorityClass) === undefined;
    if (!unknown) return undefined;
    const classes = [...this.#priorityClasses.values()];
    return {
      reason: 'PriorityClassNotFound',
      message: `The label ${priorityLabel} of the Experiment is ${priorityClass}, but there is no such WorkloadPriorityClass (the cluster has ${namesOf(classes)}). Create it, or correct the label.`,
    };
  }

  /** Waits for Kueue. @returns undefined if `signal` was aborted first */
  async #find(signal: AbortSignal): Promise<KueueVersion | undefined> {
    const { client, clock, log } = this.#options;
    while (!signal.aborted) {
      try {
        const version = await servedVersion(client, signal);
        if (version !== undefined) return version;
        this.#isKnown();
      } catch (err) {
        if (signal.aborted) return undefined;
        log.warn({ err }, 'whether Kueue is installed cannot be found out; it is tried again');
      }
      await sleep(clock, pause, signal).catch(() => undefined);
    }
    return undefined;
  }

  /** Keeps to what Kueue has, until its API is gone or `signal` is aborted. */
  async #follow(version: KueueVersion, signal: AbortSignal): Promise<void> {
    const { client, namespaces, clock, random, log } = this.#options;
    const gone = new AbortController();
    const either = AbortSignal.any([signal, gone.signal]);
    const common = {
      client,
      clock,
      random,
      // Of a kind that is no longer defined, a list is not found; nor is it while an API server starts.
      onRestart: (error: unknown, failures: number) => {
        if (isNotFound(error) && failures >= 3) gone.abort();
      },
    };
    this.#readsPriorityClasses = await mayRead(client, workloadPriorityClasses(version), either, log);
    const collections = [
      new Collection({ ...common, namespaces, resource: workloads(version), cache: this.workloads }),
      new Collection({ ...common, namespaces, resource: localQueues(version), cache: this.queues }),
      ...(this.#readsPriorityClasses
        ? [
            new Collection({
              ...common,
              namespaces: undefined,
              resource: workloadPriorityClasses(version),
              cache: this.#priorityClasses,
            }),
          ]
        : []),
    ];
    // Before its queues are known, none could be told from one that is missing.
    void Promise.all(collections.map(({ synced }) => synced)).then(() => this.#found());
    await Promise.all(collections.map((collection) => collection.run(either)));
  }

  #found(): void {
    this.#isFound = true;
    this.#isKnown();
    this.#tell();
  }

  #lost(): void {
    this.#isFound = false;
    for (const cache of [this.workloads, this.queues, this.#priorityClasses]) cache.replace([]);
    this.#tell();
  }

  #isKnown(): void {
    this.#isSynced = true;
    this.#sync();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

type QueuePlace = {
  readonly namespace: string;
  readonly name: string;
  /** WorkloadPriorityClass of what is put there. */
  readonly priorityClass: string | undefined;
};

function namesOf(objects: readonly KubeObject[]): string {
  const names = objects.map(({ metadata }) => metadata.name).sort();
  return names.length === 0 ? 'none' : names.join(', ');
}

/** Whether there are such, and the operator has the right, which it lacks where its rights are those of some namespaces. */
async function mayRead(
  client: Pick<ApiClient, 'list'>,
  resource: Resource,
  signal: AbortSignal,
  log: Logger,
): Promise<boolean> {
  try {
    await client.list(resource, {}, signal);
    return true;
  } catch (err) {
    if (!isForbidden(err) && !isNotFound(err)) return true;
    log.info('WorkloadPriorityClasses may not be read: one that is missing is not told of');
    return false;
  }
}

type ApiGroup = { readonly versions: readonly { readonly version: string }[] };

async function servedVersion(
  client: Pick<ApiClient, 'request'>,
  signal: AbortSignal,
): Promise<KueueVersion | undefined> {
  try {
    const { versions } = await client.request<ApiGroup>('GET', `/apis/${kueueGroup}`, {}, signal);
    return kueueVersions.find((known) => versions.some(({ version }) => version === known));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Most of a Workload is a copy of the pod's template. */
function withoutPodSets(workload: Workload): Workload {
  const { active, queueName } = workload.spec;
  return {
    ...withoutManagedFields(workload),
    spec: { ...(active === undefined ? {} : { active }), ...(queueName === undefined ? {} : { queueName }) },
  };
}
