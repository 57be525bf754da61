import { setTimeout as pause } from 'node:timers/promises';
import { label, variable } from '../../operator/jobs/contract.ts';
import type { Pod } from '../../operator/jobs/objects.ts';
import { hasStarted, isEnded, nodeOf, trainerState } from '../../operator/jobs/pod.ts';
import type { RunResult } from '../../src/api/run.ts';
import { type Assignment, assignment } from '../../src/protocol/assignment.ts';
import { exitCodes, type Termination } from '../../src/protocol/report.ts';
import { type Client, isAway, Refusal } from '../cluster/client.ts';
import {
  disrupted,
  type Failure,
  failed,
  neverRan,
  running,
  type StatusPatch,
  succeeded,
  unschedulable,
  type Why,
  waiting,
} from '../cluster/pod-status.ts';
import { waitFor } from '../cluster/wait.ts';

/** Where a Run or a pod is: its `metadata` will do. */
export type Place = { readonly namespace: string; readonly name: string };

/** What a trainer says that trained well. */
export function trained(changes: Partial<RunResult> = {}): Termination {
  const result = {
    bestEpoch: 9,
    validationAccuracy: 0.76,
    testAccuracy: 0.7561,
    testAccuracyTop5: 0.93,
    testLoss: 0.9,
    parameters: 78_042,
    flops: 25_000_000,
    epochs: 10,
    trainingSeconds: 480,
    imagesPerSecond: 4310,
    artifacts: '/artifacts/study',
    ...changes,
  };
  return { outcome: 'succeeded', result };
}

/** How the trainer of an explanation ends. */
function explained(): Termination {
  const maps = [{ map: 'gradCam' as const, agreement: [1, 0.5], topOverlap: [1, 0.4] }];
  const faithful = { insertion: [0.7, 0.6], deletion: [0.2, 0.3], sane: true };
  return {
    outcome: 'explained',
    explanation: {
      images: 16,
      seconds: 40,
      maps: maps.map((map) => ({ ...map, ...faithful })),
      artifacts: '/artifacts/study-explanation',
    },
  };
}

/** How a trainer ends that is told to go, checkpoint written. */
export const preempted: Failure = {
  exitCode: exitCodes.preempted,
  message: { outcome: 'preempted', epoch: 3, step: 0 },
};

/**
 * The scheduler and the kubelets of a control plane that has none: writes what they would, as a test tells it to.
 *
 * Whatever pod it is given, it goes by the API server's current version of it, and gives that back as it is afterwards.
 * What a real kubelet never does (run a pod that is on no node or has ended, remove one that nobody deleted) is an error.
 */
export class Kubelet {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** The newest pod of the Run that has not ended, once the Job controller has made it. */
  podOf({ namespace, name }: Place): Promise<Pod> {
    return waitFor(`a pod of Run ${name}`, async () => {
      const pods = await podsIn(this.#client, namespace, `${label.run}=${name}`);
      return pods.items
        .filter((pod) => !isEnded(pod))
        .sort(byCreation)
        .at(-1);
    });
  }

  /** The pod, once somebody has asked for its deletion: its trainer has got SIGTERM. */
  toldToGo(pod: Pod): Promise<Pod> {
    return waitFor(`the deletion of pod ${pod.metadata.name}`, async () => {
      const current = await this.#current(pod);
      return current.metadata.deletionTimestamp === undefined ? undefined : current;
    });
  }

  /** Waits until the API server has the pod no more. */
  async gone(pod: Pod): Promise<void> {
    await waitFor(`pod ${pod.metadata.name} to go`, async () => {
      const { status, body } = await this.#client.request<Pod>('GET', pathOf(pod));
      return status === 404 || body.metadata.uid !== pod.metadata.uid || undefined;
    });
  }

  /** What the scheduler does. The node is made if there is none of that name: pods of missing nodes are deleted. */
  async bind(pod: Pod, node: string): Promise<Pod> {
    await this.#ensureNode(node);
    const { name, namespace, uid } = pod.metadata;
    await this.#client.send('POST', `${pathOf(pod)}/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace, uid },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    });
    return this.#current(pod);
  }

  /** The scheduler finds no node, and says so as in `0/4 nodes are available: 4 Insufficient nvidia.com/gpu.` */
  unschedulable(pod: Pod, message: string): Promise<Pod> {
    return this.#write(pod, (current, now) => unschedulable(current, message, now));
  }

  /** Its container cannot be started: `ErrImagePull`, `CreateContainerConfigError`… */
  waiting(pod: Pod, reason: string, message?: string): Promise<Pod> {
    const why = message === undefined ? { reason } : { reason, message };
    return this.#write(pod, (current, now) => waiting(live(current), why, now));
  }

  run(pod: Pod): Promise<Pod> {
    return this.#write(pod, (current, now) => running(live(current), now));
  }

  /** @param message its termination message: text, or JSON if it is an object */
  succeed(pod: Pod, message: string | object = trained()): Promise<Pod> {
    return this.#write(pod, (current, now) => succeeded(live(current), message, now));
  }

  /** The trainer failed, or the kubelet gave the pod up. */
  fail(pod: Pod, failure: Failure): Promise<Pod> {
    return this.#write(pod, (current, now) => failed(live(current), failure, now));
  }

  /**
   * What takes a pod away from outside: `PreemptionByScheduler`, `DeletionByTaintManager` (of a node that is lost),
   * `EvictionByEvictionAPI`. It is marked, then deleted; its end is for `remove`.
   */
  async disrupt(pod: Pod, why: Why): Promise<Pod> {
    const marked = await this.#write(pod, (current, now) => disrupted(current, why, now));
    return this.#delete(marked, {});
  }

  /**
   * A pod that was told to go ends.
   *
   * @param failure how its trainer ends, if it runs: with a checkpoint unless told
   */
  terminate(pod: Pod, failure = preempted): Promise<Pod> {
    return this.#write(pod, (current, now) =>
      hasStarted(toldToGo(current)) ? failed(current, failure, now) : neverRan(current, now),
    );
  }

  /** Takes a pod that was told to go out of the API server, which lets it go once its finalizers are off (`gone`). */
  async remove(pod: Pod, failure = preempted): Promise<Pod> {
    const current = toldToGo(await this.#current(pod));
    const ended = isEnded(current) ? current : await this.terminate(current, failure);
    return this.#delete(ended, { gracePeriodSeconds: 0 });
  }

  async #current(pod: Pod): Promise<Pod> {
    const current = await this.#client.send<Pod>('GET', pathOf(pod));
    if (current.metadata.uid === pod.metadata.uid) return current;
    throw new Refusal(404, `pod ${pod.metadata.name} has gone, and another has its name`);
  }

  async #write(pod: Pod, status: (current: Pod, now: string) => StatusPatch): Promise<Pod> {
    const current = await this.#current(pod);
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const body = { metadata: { uid: pod.metadata.uid }, status: status(current, now) };
    return this.#client.send<Pod>('PATCH', `${pathOf(pod)}/status`, body, {
      contentType: 'application/strategic-merge-patch+json',
    });
  }

  /** @returns the pod as it was when it was deleted: without finalizers it is gone */
  #delete(pod: Pod, options: { readonly gracePeriodSeconds?: number }): Promise<Pod> {
    const { uid } = pod.metadata;
    return this.#client.send('DELETE', pathOf(pod), {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid },
      ...options,
    });
  }

  async #ensureNode(name: string): Promise<void> {
    const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady' };
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name }, status: { conditions: [ready] } };
    const { status, body } = await this.#client.request('POST', '/api/v1/nodes', node);
    if (status !== 201 && status !== 409) throw new Error(`node ${name}: ${status} ${JSON.stringify(body)}`);
  }
}

export type PlayOptions = {
  /** Where it plays. Every namespace unless told: only for a control plane of a test alone. */
  readonly namespaces?: readonly string[];
  /** How a pod ends by itself: `trained()` or `explained()` unless told. A Termination ends it with the trainer's exit code for it. */
  readonly result?: (pod: PodOfRun) => Termination | Failure | undefined;
  /** How long a pod runs: 200 unless told; Infinity: until it is told to go. */
  readonly runMilliseconds?: number | ((pod: PodOfRun) => number);
  /** Ends the play. */
  readonly signal: AbortSignal;
};

export type PodOfRun = {
  readonly namespace: string;
  /** Name of the Run. */
  readonly run: string;
  readonly labels: Readonly<Record<string, string>>;
  /** 1 for the Run's first pod. */
  readonly attempt: number;
  /** What its trainer is told; undefined where that is another program. */
  readonly assignment: Assignment | undefined;
};

/** What became of a pod, and when. */
export type PodRecord = PodOfRun & {
  readonly name: string;
  readonly uid: string;
  /** To the second, as the API server has it. */
  readonly created: Date;
  /** When it was last live, if it no longer is. */
  readonly ended?: Date;
  /** Of its trainer, if it ran. */
  readonly exitCode?: number;
  /** Revisions of the API server at which it was made and had ended: an order that needs no clock. */
  readonly from: number;
  readonly until?: number;
};

/** What `playKubelet` has seen and done so far. */
export type Play = {
  /** Settles after `signal` is aborted. @throws what went wrong; the play has ended then */
  readonly ended: Promise<void>;
  /** Every pod that was seen, oldest first. */
  pods(): readonly PodRecord[];
  /** Those of one Run. */
  podsOf(run: Place): readonly PodRecord[];
  /** The greatest number of pods of a namespace that were live (had not ended) at the same time. */
  mostLive(namespace: string): number;
};

/**
 * Plays every pod of a Run, until told to stop: binds it to a node, runs it, ends it. Pods that are deleted write their
 * checkpoint and go. Like a real kubelet it goes on where it was when the API server comes back after an absence.
 */
export function playKubelet(client: Client, options: PlayOptions): Play {
  const player = new Player(client, options);
  return {
    ended: player.play(),
    pods: () => player.records,
    podsOf: ({ namespace, name }) =>
      player.records.filter((pod) => pod.namespace === namespace && pod.run === name),
    mostLive: (namespace) => mostAtOnce(player.records.filter((pod) => pod.namespace === namespace)),
  };
}

const pollMilliseconds = 50;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

class Player {
  readonly #client: Client;
  readonly #kubelet: Kubelet;
  readonly #options: PlayOptions;
  readonly #seen = new Map<string, Writable<PodRecord>>();
  /** When the trainers that run were started, as `performance.now()`, by UID. */
  readonly #running = new Map<string, number>();

  constructor(client: Client, options: PlayOptions) {
    this.#client = client;
    this.#kubelet = new Kubelet(client);
    this.#options = options;
  }

  get records(): readonly PodRecord[] {
    return [...this.#seen.values()];
  }

  async play(): Promise<void> {
    const { namespaces = [undefined], signal } = this.#options;
    while (!signal.aborted) {
      await Promise.all(namespaces.map((namespace) => passing(this.#look(namespace))));
      await pause(pollMilliseconds);
    }
  }

  /** One look at the pods of a namespace (all if undefined): plays each a step further. */
  async #look(namespace: string | undefined): Promise<void> {
    const { items, metadata } = await podsIn(this.#client, namespace, label.run);
    const listed = new Set(items.map((pod) => pod.metadata.uid));
    for (const pod of [...items].sort(byCreation)) this.#record(pod);
    for (const record of this.#seen.values()) {
      const isHere = namespace === undefined || record.namespace === namespace;
      if (isHere && !listed.has(record.uid)) this.#end(record, revision(metadata.resourceVersion));
    }
    await Promise.all(items.map((pod) => passing(this.#play(pod))));
  }

  #record(pod: Pod): void {
    const { uid = '', name, namespace, labels = {}, creationTimestamp = '' } = pod.metadata;
    const run = labels[label.run] ?? '';
    if (!this.#seen.has(uid)) {
      const earlier = this.records.filter((one) => one.namespace === namespace && one.run === run);
      const created = new Date(creationTimestamp);
      const from = revision(pod.metadata.resourceVersion);
      const assignment = assignmentOf(pod);
      this.#seen.set(uid, {
        ...{ namespace, run, labels, attempt: earlier.length + 1, assignment },
        ...{ name, uid, created, from },
      });
    }
    this.#note(pod);
  }

  /** Remembers the end of a pod that has ended. */
  #note(pod: Pod): void {
    const record = this.#seen.get(pod.metadata.uid ?? '');
    if (record === undefined || !isEnded(pod)) return;
    const exitCode = trainerState(pod)?.terminated?.exitCode;
    if (exitCode !== undefined) record.exitCode = exitCode;
    this.#end(record, revision(pod.metadata.resourceVersion));
  }

  #end(record: Writable<PodRecord>, at: number): void {
    if (record.until !== undefined) return;
    record.until = at;
    record.ended = new Date();
    this.#running.delete(record.uid);
  }

  async #play(pod: Pod): Promise<void> {
    if (pod.metadata.deletionTimestamp !== undefined) return this.#remove(pod);
    if (isEnded(pod)) return;
    const { uid = '' } = pod.metadata;
    if (!hasStarted(pod)) {
      const bound = nodeOf(pod) === undefined ? await this.#kubelet.bind(pod, 'played') : pod;
      await this.#kubelet.run(bound);
      this.#running.set(uid, performance.now());
      return;
    }
    const since = this.#running.get(uid);
    if (since === undefined) this.#running.set(uid, performance.now());
    else if (performance.now() - since >= this.#runMilliseconds(uid)) await this.#finish(pod);
  }

  #runMilliseconds(uid: string): number {
    const { runMilliseconds = 200 } = this.#options;
    const record = this.#seen.get(uid);
    if (typeof runMilliseconds === 'number') return runMilliseconds;
    return record === undefined ? Number.POSITIVE_INFINITY : runMilliseconds(record);
  }

  async #remove(pod: Pod): Promise<void> {
    // The API server and the controllers see to a deleted pod of no node.
    if (nodeOf(pod) === undefined) return;
    if (!isEnded(pod)) this.#note(await this.#kubelet.terminate(pod));
    if (pod.metadata.deletionGracePeriodSeconds !== 0) await this.#kubelet.remove(pod);
  }

  async #finish(pod: Pod): Promise<void> {
    const record = this.#seen.get(pod.metadata.uid ?? '');
    if (record === undefined) return;
    const isExplanation = record.labels['destillml.io/role'] === 'explanation';
    const end = this.#options.result?.(record) ?? (isExplanation ? explained() : trained());
    const isWord = 'outcome' in end;
    if (isWord && (end.outcome === 'succeeded' || end.outcome === 'explained' || end.outcome === 'paused'))
      return this.#note(await this.#kubelet.succeed(pod, end));
    const failure = isWord ? { exitCode: exitCodes[end.outcome], message: end } : end;
    this.#note(await this.#kubelet.fail(pod, failure));
  }
}

function assignmentOf({ spec }: Pod): Assignment | undefined {
  const containers: readonly {
    readonly env?: readonly { readonly name: string; readonly value?: string }[];
  }[] = spec?.containers ?? [];
  const text = containers
    .flatMap(({ env = [] }) => env)
    .find(({ name }) => name === variable.assignment)?.value;
  if (text === undefined) return undefined;
  return assignment.parse(JSON.parse(text));
}

/** Most intervals that have a revision in common. */
function mostAtOnce(records: readonly PodRecord[]): number {
  const live = (at: number) =>
    records.filter(({ from, until = Number.POSITIVE_INFINITY }) => from <= at && at < until).length;
  return Math.max(0, ...records.map(({ from }) => live(from)));
}

/** What a kubelet tries again: the pod has changed or gone meanwhile, or the API server is away. */
async function passing(attempt: Promise<void>): Promise<void> {
  try {
    await attempt;
  } catch (error) {
    const passes = isAway(error) || (error instanceof Refusal && [404, 409, 429].includes(error.status));
    if (!passes) throw error;
  }
}

type PodList = { readonly metadata: { readonly resourceVersion: string }; readonly items: readonly Pod[] };

function podsIn(client: Client, namespace: string | undefined, selector: string): Promise<PodList> {
  const pods = namespace === undefined ? 'pods' : `namespaces/${namespace}/pods`;
  return client.send('GET', `/api/v1/${pods}?labelSelector=${encodeURIComponent(selector)}`);
}

function pathOf({ metadata: { namespace, name } }: Pod): string {
  return `/api/v1/namespaces/${namespace}/pods/${name}`;
}

function toldToGo(pod: Pod): Pod {
  if (pod.metadata.deletionTimestamp !== undefined) return pod;
  throw new Error(`pod ${pod.metadata.name} was not told to go`);
}

/** A pod that a kubelet has in hand. */
function live(pod: Pod): Pod {
  const { name } = pod.metadata;
  if (nodeOf(pod) === undefined) throw new Error(`pod ${name} is on no node: bind it first`);
  if (isEnded(pod)) throw new Error(`pod ${name} has ended`);
  return pod;
}

/** Since Kubernetes 1.35 resource versions are numbers that grow, and may be compared. */
function revision(resourceVersion = ''): number {
  return Number(resourceVersion);
}

function byCreation({ metadata: one }: Pod, { metadata: other }: Pod): number {
  return (one.creationTimestamp ?? '').localeCompare(other.creationTimestamp ?? '');
}
