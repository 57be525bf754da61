import { afterAll, beforeAll, expect, it } from 'vitest';
import { jobs, type Run, runs } from '../../operator/controllers/kinds.ts';
import type { Pod } from '../../operator/jobs/objects.ts';
import { trainerState } from '../../operator/jobs/pod.ts';
import { isAway } from '../cluster/client.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { waitFor } from '../cluster/wait.ts';
import { ChaosProxy, type Mishaps, seeded } from './chaos-proxy.ts';
import { type Ever, type Watching, watchAll } from './ever.ts';
import { type Play, type PodRecord, playKubelet, trained } from './kubelet.ts';
import { experiment, Lab, runOperator } from './operator-fixtures.ts';
import { kubeconfigFor } from './tokens.ts';

/** Each has an operator of its own in a namespace of its own, behind a bad network. */
const rounds = 20;
/** Of them at the same time, while the API server is restarted under them. */
const together = 5;
const experiments = 10;
/** A teacher, a baseline, an arm. */
const runsEach = 3;

/** An API server of its own: it is restarted. */
let controlPlane: ControlPlane;
let watching: Watching;
beforeAll(async () => {
  controlPlane = await startControlPlane({ crds: true });
  watching = watchAll(controlPlane.access);
});
afterAll(async () => {
  await watching.stop();
  await controlPlane.stop();
});

/** A result that no other Run has. */
function accuracyOf(run: string): number {
  return [...run].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 10_007, 7) / 10_007;
}

type Round = {
  readonly here: Lab;
  readonly kubelet: Play;
  readonly everRuns: Ever;
  readonly everJobs: Ever;
  readonly mishaps: Mishaps;
};

async function round(seed: number): Promise<Round> {
  const { client, access } = controlPlane;
  const namespace = await client.newNamespace(`chaos-${seed}`);
  const here = new Lab(client, namespace);
  const [everRuns, everJobs] = [watching.ever(runs, namespace), watching.ever(jobs, namespace)];
  const ending = new AbortController();
  const kubelet = playKubelet(client, {
    namespaces: [namespace],
    runMilliseconds: 1_100,
    result: ({ run }) => trained({ validationAccuracy: accuracyOf(run), testAccuracy: accuracyOf(run) }),
    signal: ending.signal,
  });
  const proxy = await ChaosProxy.open(access, seed);
  const kubeconfig = kubeconfigFor(access, { token: access.tokens.admin, server: proxy.url });
  const operator = await started(kubeconfig, namespace);
  try {
    const names = Array.from({ length: experiments }, (_, index) => `study-${index}`);
    for (const name of names) await retrying(() => here.apply(experiment(name, { pod: { gpus: 2 } })));
    for (const name of names) {
      await waitFor(
        `Experiment ${name} of seed ${seed} to be Complete`,
        async () => (await retrying(() => here.experiment(name))).status?.phase === 'Complete' || undefined,
        180_000,
      ).catch(async (error: unknown) => {
        const open = (await here.runs()).filter(({ status }) => status?.phase !== 'Succeeded');
        const states = open.map(
          ({ metadata, status }) => `${metadata.name} ${status?.phase} ${status?.message}`,
        );
        const log = operator.complaints.slice(-5).map((line) => JSON.stringify(line));
        throw new Error([error, ...states, ...log].join('\n'));
      });
    }
    return { here, kubelet, everRuns, everJobs, mishaps: proxy.mishaps };
  } finally {
    ending.abort();
    await kubelet.ended;
    proxy.isCalm = true;
    await operator.stop();
    await proxy.close();
  }
}

/** The first request of an operator has to succeed: whoever runs it starts it again. */
async function started(kubeconfig: string, namespace: string) {
  for (;;) {
    try {
      return await runOperator(kubeconfig, [namespace]);
    } catch (error) {
      if (!/cannot be reached|does not let/.test(String(error))) throw error;
    }
  }
}

/** While the API server is away. */
async function retrying<T>(act: () => Promise<T>): Promise<T> {
  const end = performance.now() + 120_000;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (performance.now() > end || !isAway(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** By the stamps of the kubelet. */
function gpuSecondsOf(pod: Pod | undefined): number {
  const { startedAt, finishedAt } = (pod && trainerState(pod)?.terminated) ?? {};
  return (2 * (Date.parse(String(finishedAt)) - Date.parse(String(startedAt)))) / 1000;
}

/** Of the API server, in milliseconds since 1970. */
type Restart = { readonly from: number; readonly until: number };

/**
 * Whether the Job controller made the pod because the API server was killed before it could answer that the first is made.
 * It deletes one of them as soon as it sees both; no operator can keep it from that.
 */
function isTwin(pod: PodRecord, first: PodRecord | undefined, restarts: readonly Restart[]): boolean {
  const job = ({ labels }: PodRecord) => labels['batch.kubernetes.io/controller-uid'];
  const made = pod.created.getTime();
  return (
    first !== undefined &&
    job(pod) === job(first) &&
    restarts.some(({ from, until }) => from - 1_000 <= made && made <= until + 15_000)
  );
}

/** What is not as it would be in good weather. @param twins takes the Runs of which the Job controller made two pods */
async function wrongs(
  { here, kubelet, everRuns, everJobs }: Round,
  restarts: readonly Restart[],
  twins: string[],
): Promise<readonly string[]> {
  const all = await here.runs();
  const { items: pods } = await here.client.send<{ items: readonly Pod[] }>(
    'GET',
    `/api/v1/namespaces/${here.namespace}/pods`,
  );
  const podOf = new Map(pods.map((pod) => [pod.metadata.labels?.['destillml.io/run'], pod]));
  const ofRun = ({ metadata: { name }, status }: Run) => {
    const { phase, reason, result, attempts, preemptions, gpuSeconds } = status ?? {};
    const made = kubelet.podsOf({ namespace: here.namespace, name });
    if (made.length > 1 && made.every((pod, index) => index === 0 || isTwin(pod, made[0], restarts))) {
      twins.push(name);
      return phase === 'Succeeded' && result?.testAccuracy === accuracyOf(name) ? [] : [`${name}: ${phase}`];
    }
    const seen = { phase, reason, accuracy: result?.testAccuracy, attempts, preemptions, gpuSeconds };
    const right = {
      phase: 'Succeeded',
      reason: 'Trained',
      accuracy: accuracyOf(name),
      attempts: 1,
      preemptions: 0,
      gpuSeconds: gpuSecondsOf(podOf.get(name)),
    };
    const told = JSON.stringify(seen) === JSON.stringify(right) ? [] : [`${name}: ${JSON.stringify(seen)}`];
    return made.length === 1 ? told : [...told, `${name}: ${made.length} pods`];
  };
  const twice = Object.entries({ Runs: everRuns, Jobs: everJobs }).flatMap(([what, ever]) =>
    [...ever].flatMap(([name, uids]) => (uids.size === 1 ? [] : [`${name}: ${uids.size} ${what}`])),
  );
  const missing = experiments * runsEach - all.length;
  const found = [...all.flatMap(ofRun), ...twice, ...(missing === 0 ? [] : [`${missing} Runs are missing`])];
  return found.length === 0 ? [] : [...found, ...(await happened(here, found))];
}

/** All Events about what is named, which tell how it came to that. */
async function happened({ client, namespace }: Lab, found: readonly string[]): Promise<readonly string[]> {
  const { items } = await client.send<{ items: readonly Happening[] }>(
    'GET',
    `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
  );
  return items
    .filter(({ regarding }) => found.some((text) => regarding.name.startsWith(text.split(':')[0] ?? '')))
    .map(({ metadata, regarding: { kind, name, uid }, reason, note, reportingController }) =>
      [metadata.creationTimestamp, reportingController, kind, name, uid, reason, note].join(' '),
    )
    .sort();
}

type Happening = {
  readonly metadata: { readonly creationTimestamp: string };
  readonly regarding: { readonly kind: string; readonly name: string; readonly uid: string };
  readonly reason: string;
  readonly note: string;
  readonly reportingController: string;
};

it(`in a bad network, ${rounds} times, every Run is once, has one Job and one pod, and its own result`, async () => {
  const begun = performance.now();
  const total: Record<string, number> = {};
  const restarts: Restart[] = [];
  const [found, twins]: [string[], string[]] = [[], []];
  for (let first = 1; first <= rounds; first += together) {
    const weather = seeded(first);
    const over = new AbortController();
    const restarting = (async () => {
      for (let time = 0; time < 2; time += 1) {
        await new Promise((resolve) => setTimeout(resolve, 3_000 + 5_000 * weather()));
        if (over.signal.aborted) return;
        const from = Date.now();
        await controlPlane.restartApiServer();
        restarts.push({ from, until: Date.now() });
      }
    })();
    const seeds = Array.from({ length: together }, (_, index) => first + index);
    const outcomes = await Promise.allSettled(seeds.map(round));
    over.abort();
    await restarting;
    const done = outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    });
    for (const [index, each] of done.entries()) {
      for (const [what, times] of Object.entries(each.mishaps)) total[what] = (total[what] ?? 0) + times;
      found.push(...(await wrongs(each, restarts, twins)).map((wrong) => `seed ${seeds[index]}: ${wrong}`));
    }
  }
  const figures = Object.entries({ ...total, restarts: restarts.length, twins: twins.length }).map(
    ([what, times]) => `${what} ${times}`,
  );
  const seconds = Math.round((performance.now() - begun) / 1000);
  console.log(
    `chaos: ${rounds} rounds, ${rounds * experiments * runsEach} Runs in ${seconds} s; ${figures.join(', ')}; wrong: ${found.length}`,
  );
  expect(found).toEqual([]);
}, 900_000);
