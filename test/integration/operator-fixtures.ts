import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { readConfig } from '../../operator/config.ts';
import type { Experiment, Run } from '../../operator/controllers/kinds.ts';
import { Operator } from '../../operator/operator.ts';
import { type Clock, systemClock } from '../../operator/runtime/clock.ts';
import { loadKubeConfig } from '../../operator/runtime/kube-config.ts';
import type { OperatorServer } from '../../operator/server/server.ts';
import type { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';

/** In milliseconds: the Job controller alone waits 10 s, then 20 s, before it replaces a pod that failed. */
export const patience = 90_000;

export type RunningOperator = {
  readonly operator: Operator;
  readonly server: OperatorServer;
  /** What it logged at level `warn` and above. */
  readonly complaints: readonly Record<string, unknown>[];
  readonly stop: () => Promise<void>;
};

/** The operator in this process, for these namespaces only; it ends with the test at the latest. */
export async function startOperator(
  kubeconfig: string,
  namespaces: readonly string[],
  ...flags: readonly string[]
): Promise<RunningOperator> {
  const running = await runOperator(kubeconfig, namespaces, ...flags);
  onTestFinished(running.stop);
  return running;
}

/** The operator in this process, for these namespaces only, until it is stopped. */
export function runOperator(
  kubeconfig: string,
  namespaces: readonly string[],
  ...flags: readonly string[]
): Promise<RunningOperator> {
  return runOperatorBy(systemClock, kubeconfig, namespaces, ...flags);
}

/** The same, on a machine with this clock. */
export async function runOperatorBy(
  clock: Clock,
  kubeconfig: string,
  namespaces: readonly string[],
  ...flags: readonly string[]
): Promise<RunningOperator> {
  const nowhere = { write: () => undefined };
  const config = readConfig(
    [
      ...['--kubeconfig', kubeconfig, '--namespaces', namespaces.join(',')],
      ...['--server-bind-address', '127.0.0.1:0', '--health-bind-address', '127.0.0.1:0'],
      ...['--leader-election', 'off', '--qps', '500', '--burst', '500', ...flags],
    ],
    { env: {}, stdout: nowhere, stderr: nowhere },
  );
  const complaints: Record<string, unknown>[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => complaints.push(JSON.parse(line)) });
  const kubeConfig = loadKubeConfig({ file: kubeconfig });
  const operator = new Operator(config, { kubeConfig, clock, random: Math.random, log });
  const ending = new AbortController();
  let ended: Promise<unknown> = Promise.resolve();
  const server = await new Promise<OperatorServer>((resolve, reject) => {
    ended = operator.run(ending.signal, resolve).catch(reject);
  });
  const stop = async () => {
    ending.abort(new Error('the test is over'));
    await ended;
  };
  return { operator, server, complaints, stop };
}

/** A small Experiment: a teacher, a student, its baseline and one arm; without GPUs. */
export function experiment(name: string, spec: object = {}): object {
  return {
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Experiment',
    metadata: { name },
    spec: {
      dataset: { name: 'fashion-mnist', source: { packaged: {} } },
      teacher: { model: 'resnet14' },
      students: [{ name: 'small', model: 'resnet8' }],
      distillation: [{ name: 'soft', softTargets: {} }],
      training: { epochs: 10 },
      storage: { persistentVolumeClaim: { claimName: 'experiments' } },
      pod: { gpus: 0 },
      parallelism: 8,
      ...spec,
    },
  };
}

/** What tests do with Experiments and Runs of one namespace. */
export class Lab {
  readonly client: Client;
  readonly namespace: string;

  constructor(client: Client, namespace: string) {
    this.client = client;
    this.namespace = namespace;
  }

  path(plural: 'experiments' | 'runs', name = ''): string {
    return `/apis/destillml.io/v1alpha1/namespaces/${this.namespace}/${plural}/${name}`.replace(/\/$/, '');
  }

  apply(object: object): Promise<Experiment> {
    return this.client.send('POST', this.path('experiments'), object);
  }

  change(plural: 'experiments' | 'runs', name: string, spec: object): Promise<unknown> {
    return this.client.send(
      'PATCH',
      this.path(plural, name),
      { spec },
      {
        contentType: 'application/merge-patch+json',
      },
    );
  }

  experiment(name: string): Promise<Experiment> {
    return this.client.send('GET', this.path('experiments', name));
  }

  async runs(): Promise<readonly Run[]> {
    return (await this.client.send<{ items: readonly Run[] }>('GET', this.path('runs'))).items;
  }

  /** Runs by role, or by the name of the arm. */
  async run(role: string): Promise<Run> {
    return await waitFor(`the Run ${role}`, async () =>
      (await this.runs()).find(
        ({ spec: { parameters } }) => parameters.arm === role || parameters.role === role,
      ),
    );
  }

  /** Waits for an Experiment that `holds`. */
  async until(name: string, what: string, holds: (experiment: Experiment) => boolean): Promise<Experiment> {
    let last: Experiment | undefined;
    const probe = async () => {
      last = await this.experiment(name);
      return holds(last) ? last : undefined;
    };
    return await waitFor(`Experiment ${name} ${what}`, probe, patience).catch((error: unknown) => {
      throw new Error(`${error}; it is ${JSON.stringify(last?.status, undefined, 1)}`);
    });
  }

  /** Waits until the Run is in the phase, for the reason if one is given. */
  async phase(role: string, phase: string, reason?: string): Promise<Run> {
    let last: Run | undefined;
    const probe = async () => {
      last = await this.run(role);
      const { status } = last;
      return status?.phase === phase && (reason === undefined || status.reason === reason) ? last : undefined;
    };
    return await waitFor(`Run ${role} to be ${phase} ${reason ?? ''}`, probe, patience).catch(
      (error: unknown) => {
        throw new Error(`${error}; it is ${JSON.stringify(last?.status, undefined, 1)}`);
      },
    );
  }
}
