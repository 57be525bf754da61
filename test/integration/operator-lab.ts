import { expect, type TestContext } from 'vitest';
import type { Job, Pod } from '../../operator/jobs/objects.ts';
import { isEnded } from '../../operator/jobs/pod.ts';
import type { Condition } from '../../src/api/meta.ts';
import type { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { Kubelet, type Play, type PlayOptions, playKubelet } from './kubelet.ts';
import { Lab, patience, type RunningOperator, runOperator } from './operator-fixtures.ts';

type Named = { readonly metadata: { readonly name: string } };

/** What became known of an object, as `kubectl get events` shows it. */
type EventText = { readonly type: string; readonly reason: string; readonly note: string };

/** A namespace in which the API server takes no pod but those of Pod Security level `restricted`. */
export function restrictedNamespace(client: Client, prefix: string): Promise<string> {
  return client.newNamespace(prefix, { 'pod-security.kubernetes.io/enforce': 'restricted' });
}

type LabOptions = {
  /** Where the operator finds the API server, if not where the client does. */
  readonly kubeconfig?: string;
  /** Namespaces that the operator cares for beside the new one. */
  readonly others?: readonly string[];
  readonly flags?: readonly string[];
};

/** A namespace at Pod Security level `restricted` with an operator, which ends with the test: also one of many at once. */
export async function openLab(
  context: TestContext,
  client: Client,
  { kubeconfig = client.access.kubeconfig, others = [], flags = [] }: LabOptions = {},
): Promise<TestLab> {
  const namespace = await restrictedNamespace(client, 'lab');
  const operator = await runOperator(kubeconfig, [namespace, ...others], ...flags);
  context.onTestFinished(async () => {
    await operator.stop();
    expect(operator.complaints).toEqual([]);
  });
  return new TestLab(context, client, namespace, operator);
}

/** A Lab with an operator, and what tests ask of it beside Experiments and Runs. */
export class TestLab extends Lab {
  readonly operator: RunningOperator;
  readonly kubelet: Kubelet;
  readonly #context: TestContext;

  constructor(context: TestContext, client: Client, namespace: string, operator: RunningOperator) {
    super(client, namespace);
    this.operator = operator;
    this.kubelet = new Kubelet(client);
    this.#context = context;
  }

  /** All pods train by themselves until the test ends, also those of other namespaces. `pace` may be changed meanwhile. */
  play(pace: Partial<PlayOptions> = {}, others: readonly string[] = []): Play {
    const { client, namespace } = this;
    const ending = new AbortController();
    const options = Object.assign(pace, { namespaces: [namespace, ...others], signal: ending.signal });
    const playing = playKubelet(client, options);
    this.#context.onTestFinished(async () => {
      ending.abort();
      await playing.ended;
    });
    return playing;
  }

  /** Has the pod of the Run train on a node. @returns the pod, once the Run is Running */
  async train(role: string, node = 'gpu-1'): Promise<Pod> {
    const { metadata } = await this.run(role);
    const pod = await this.kubelet.podOf({ namespace: this.namespace, name: metadata.name });
    const running = await this.kubelet.run(await this.kubelet.bind(pod, node));
    await this.phase(role, 'Running', 'Training');
    return running;
  }

  /** The Experiment, once its status is of its present spec and it has ended so. */
  ended(name: string, phase: 'Complete' | 'Failed' = 'Complete') {
    return this.until(
      name,
      `to be ${phase}`,
      ({ metadata, status }) => status?.phase === phase && status.observedGeneration === metadata.generation,
    );
  }

  async jobs(): Promise<readonly Job[]> {
    return await this.#list(`/apis/batch/v1/namespaces/${this.namespace}/jobs`);
  }

  async pods(): Promise<readonly Pod[]> {
    return await this.#list(`/api/v1/namespaces/${this.namespace}/pods`);
  }

  async job(name: string): Promise<Job> {
    return await this.client.send('GET', `/apis/batch/v1/namespaces/${this.namespace}/jobs/${name}`);
  }

  /** Waits until no Job and no pod works or may yet. */
  async quiet(): Promise<void> {
    const hasEnded = ({ status }: Job) =>
      status?.conditions?.some(
        ({ type, status: state }) => /^(Complete|Failed)$/.test(type) && state === 'True',
      );
    await waitFor('every Job and every pod to have ended', async () => {
      const [jobs, pods] = [await this.jobs(), await this.pods()];
      return (jobs.every(hasEnded) && pods.every(isEnded)) || undefined;
    });
  }

  /** Phases of Runs by role, or by the name of the arm. */
  async phases(): Promise<Readonly<Record<string, string>>> {
    const runs = await this.runs();
    return Object.fromEntries(
      runs.map(({ spec: { parameters }, status }) => [
        parameters.arm ?? parameters.role,
        status?.phase ?? '',
      ]),
    );
  }

  delete(plural: 'experiments' | 'runs', name: string, propagationPolicy = 'Background'): Promise<unknown> {
    return this.#delete(this.path(plural, name), propagationPolicy);
  }

  deleteJob(name: string, propagationPolicy = 'Background'): Promise<unknown> {
    return this.#delete(`/apis/batch/v1/namespaces/${this.namespace}/jobs/${name}`, propagationPolicy);
  }

  /** Waits until there is nothing left of the kinds. */
  async empty(...kinds: readonly ('experiments' | 'runs' | 'jobs' | 'pods')[]): Promise<void> {
    const left = async () => {
      const lists = {
        experiments: () => this.#list<Named>(this.path('experiments')),
        runs: () => this.runs(),
        jobs: () => this.jobs(),
        pods: () => this.pods(),
      };
      const found = await Promise.all(kinds.map((kind) => lists[kind]()));
      return found.flat().length === 0 || undefined;
    };
    await waitFor(`no ${kinds.join(', ')} to be left`, left, patience);
  }

  /** Events of the operator about an object of that name, oldest first, once there is one with this reason. */
  async told(name: string, reason: string): Promise<readonly EventText[]> {
    return await waitFor(`the Event ${reason} about ${name}`, async () => {
      const events = await this.#list<KubeEvent>(
        `/apis/events.k8s.io/v1/namespaces/${this.namespace}/events`,
      );
      const about = events
        .filter(
          ({ regarding, reportingController }) =>
            regarding.name === name && /destillml/.test(reportingController),
        )
        .sort((a, b) => a.eventTime.localeCompare(b.eventTime))
        .map(({ type, reason: why, note }) => ({ type, reason: why, note }));
      return about.some((event) => event.reason === reason) ? about : undefined;
    });
  }

  async #list<T>(path: string): Promise<readonly T[]> {
    return (await this.client.send<{ items: readonly T[] }>('GET', path)).items;
  }

  #delete(path: string, propagationPolicy: string): Promise<unknown> {
    return this.client.send('DELETE', path, { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy });
  }
}

type KubeEvent = EventText & {
  readonly regarding: { readonly name: string };
  readonly reportingController: string;
  readonly eventTime: string;
};

type Reported = { readonly status?: { readonly conditions: readonly Condition[] } | undefined };

/** Conditions by type, as `True Reason: message`. */
export function conditionsOf({ status }: Reported): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (status?.conditions ?? []).map(({ type, status: state, reason, message }) => [
      type,
      `${state} ${reason}: ${message}`,
    ]),
  );
}
