import type { Logger } from 'pino';
import type { ApiClient } from '../runtime/api-client.ts';
import { isNotFound } from '../runtime/api-error.ts';
import { Cache, ownerUids, withoutManagedFields } from '../runtime/cache.ts';
import { type Clock, type Random, sleep } from '../runtime/clock.ts';
import { Collection } from '../runtime/collection.ts';
import { type KubeObject, keyOf } from '../runtime/resource.ts';
import {
  type KueueVersion,
  kueueGroup,
  kueueVersions,
  localQueues,
  type Workload,
  workloads,
} from './kinds.ts';

export type KueueOptions = {
  readonly client: Pick<ApiClient, 'list' | 'version' | 'watch' | 'request'>;
  readonly namespaces: readonly string[] | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
};

/** Whether Kueue is installed is looked at so often, until it is; milliseconds. */
const pause = 15_000;

/** Why an Experiment with a queue cannot start anything. */
export type QueueProblem = { readonly reason: string; readonly message: string };

/** What is seen of Kueue: its Workloads and LocalQueues, once it is installed, which it may never be. */
export class Kueue {
  /** By owner's uid in the index `owner`. */
  readonly workloads: Cache<Workload>;
  readonly queues: Cache<KubeObject>;
  /** Resolved once everything of Kueue is known, or that there is no Kueue. */
  readonly synced: Promise<void>;
  readonly #options: KueueOptions;
  #sync: () => void = () => undefined;
  #isSynced = false;
  #isFound = false;
  readonly #listeners = new Set<() => void>();

  constructor(options: KueueOptions) {
    this.#options = options;
    const onHandlerError = (err: unknown) => options.log.error({ err }, 'a change of Kueue was not handled');
    this.workloads = new Cache({ indexers: { owner: ownerUids }, trim: withoutPodSets, onHandlerError });
    this.queues = new Cache({ onHandlerError });
    this.synced = new Promise((resolve) => {
      this.#sync = resolve;
    });
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Calls back once Kueue is found to be installed, should it be later. @returns what ends that */
  whenFound(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Until `signal` is aborted; it never fails. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, namespaces, clock, random, log } = this.#options;
    const version = await this.#find(signal);
    if (version === undefined) return;
    const common = { client, namespaces, clock, random };
    const collections = [
      new Collection({ ...common, resource: workloads(version), cache: this.workloads }),
      new Collection({ ...common, resource: localQueues(version), cache: this.queues }),
    ];
    log.info({ version }, 'Kueue found');
    // Before its queues are known, none could be told from one that is missing.
    void Promise.all(collections.map(({ synced }) => synced)).then(() => this.#found());
    await Promise.all(collections.map((collection) => collection.run(signal)));
  }

  /** Why nothing can be put into this queue, if so. */
  problem(queue: { readonly namespace: string; readonly name: string }): QueueProblem | undefined {
    if (!this.#isFound) {
      return {
        reason: 'KueueNotInstalled',
        message: `spec.queue is ${queue.name}, but Kueue is not installed in this cluster. Install it (https://kueue.sigs.k8s.io), or remove spec.queue.`,
      };
    }
    if (this.queues.get(keyOf(queue)) !== undefined) return undefined;
    const { namespace } = queue;
    const others = [...this.queues.values()]
      .filter(({ metadata }) => metadata.namespace === namespace)
      .map(({ metadata }) => metadata.name)
      .sort();
    const there = others.length === 0 ? 'has none' : `has ${others.join(', ')}`;
    return {
      reason: 'LocalQueueNotFound',
      message: `spec.queue is ${queue.name}, but there is no such LocalQueue in namespace ${namespace} (it ${there}). Create it, or correct spec.queue.`,
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

  #found(): void {
    this.#isFound = true;
    this.#isKnown();
    for (const listener of this.#listeners) listener();
  }

  #isKnown(): void {
    this.#isSynced = true;
    this.#sync();
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
