/** Runs that pause at rungs, on a real API server with a real Job controller. */
import { afterAll, describe, expect, inject, it, onTestFinished, type TestContext } from 'vitest';
import { jobs, type Run } from '../../operator/controllers/kinds.ts';
import type { Pod } from '../../operator/jobs/objects.ts';
import { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { watchAll } from './ever.ts';
import { Kubelet, type PodOfRun, playKubelet, preempted, trained } from './kubelet.ts';
import { experiment, Lab, patience, startOperator } from './operator-fixtures.ts';
import { conditionsOf, openLab, type TestLab } from './operator-lab.ts';
import { SeveredProxy } from './severed-proxy.ts';

const client = new Client(inject('controlPlane'));
afterAll(() => client.close());

const name = 'study-trial';
const accuracies: Readonly<Record<number, number>> = { 2: 0.61, 4: 0.64 };
const rungsTo = (...epochs: readonly number[]) =>
  epochs.map((epoch) => ({ epoch, validationAccuracy: accuracies[epoch] }));
const pausedAt = (epoch: number) =>
  ({ outcome: 'paused', epoch, validationAccuracy: accuracies[epoch] ?? 0.5 }) as const;

/** A trial that is made by hand: the plan, which makes those of a search, has no part in this. */
class Trial {
  readonly #lab: Lab;
  readonly kubelet = new Kubelet(client);

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  async create(spec: object = {}): Promise<void> {
    const { client: api, namespace } = this.#lab;
    await this.#lab.apply(experiment('study', { suspend: true, retries: 1, pod: { gpus: 2 } }));
    await api.send('POST', this.#lab.path('runs'), {
      apiVersion: 'destillml.io/v1alpha1',
      kind: 'Run',
      metadata: { name, namespace },
      spec: {
        experiment: 'study',
        parameters: {
          role: 'baseline',
          stage: 'search',
          student: 'small',
          model: 'resnet8',
          seed: 1,
          dataset: { name: 'fashion-mnist', source: { packaged: {} } },
          training: { epochs: 10 },
        },
        trial: {
          study: 'small.baseline',
          number: 17,
          values: { 'training.optimizer.learningRate': 0.03 },
          summary: 'learningRate=0.03',
        },
        suspend: false,
        untilEpoch: 2,
        ...spec,
      },
    });
  }

  change(spec: object): Promise<unknown> {
    return this.#lab.change('runs', name, spec);
  }

  now(): Promise<Run> {
    return this.#lab.client.send('GET', this.#lab.path('runs', name));
  }

  async phase(phase: string, reason: string, more: (run: Run) => boolean = () => true): Promise<Run> {
    let last: Run | undefined;
    const probe = async () => {
      last = await this.now();
      const isIt = last.status?.phase === phase && last.status.reason === reason && more(last);
      return isIt ? last : undefined;
    };
    return await waitFor(`the trial to be ${phase} ${reason}`, probe, patience).catch((error: unknown) => {
      throw new Error(`${error}; it is ${JSON.stringify(last?.status, undefined, 1)}`);
    });
  }

  pod(): Promise<Pod> {
    return this.kubelet.podOf({ namespace: this.#lab.namespace, name });
  }

  async train(): Promise<Pod> {
    const pod = await this.pod();
    const running = await this.kubelet.run(await this.kubelet.bind(pod, 'gpu-1'));
    await this.phase('Running', 'Training');
    return running;
  }

  /** Trains to its first rung. @returns the pod that did */
  async pause(): Promise<Pod> {
    const pod = await this.kubelet.succeed(await this.train(), pausedAt(2));
    await this.phase('Paused', 'AtRung');
    return pod;
  }
}

async function openTrial(context: TestContext, spec: object = {}): Promise<[TestLab, Trial]> {
  const here = await openLab(context, client);
  const trial = new Trial(here);
  await trial.create(spec);
  return [here, trial];
}

/** How the pods of the trial end, one after the other. */
function words({ run, attempt }: PodOfRun) {
  if (run !== name) return undefined;
  return attempt <= 2 ? pausedAt(2 * attempt) : trained({ validationAccuracy: 0.7 });
}

const told = (pod: Pod): object => {
  const env = pod.spec?.containers[0]?.env?.find((one) => one.name === 'DESTILL_ASSIGNMENT');
  return JSON.parse(env?.value ?? '');
};

const isComplete = (here: TestLab) =>
  waitFor('the Job to be complete', async () => {
    const { conditions = [] } = (await here.job(name)).status ?? {};
    return conditions.some(({ type }) => type === 'Complete') || undefined;
  });

/** Waits for what does not happen: a Job of another uid, or a pod that works. */
async function staysQuiet(here: TestLab, uid: string | undefined): Promise<void> {
  const until = performance.now() + 3_000;
  await waitFor('a while', async () => {
    const found = (await here.jobs()).filter(({ metadata }) => metadata.name === name);
    expect(found.map(({ metadata }) => metadata.uid)).toEqual(uid === undefined ? [] : [uid]);
    return performance.now() > until || undefined;
  });
}

describe.concurrent('a Run that comes to a rung', () => {
  it('is Paused and holds nothing; trained on, it is the same Run with both its rungs, and then its result', async (context) => {
    const [here, trial] = await openTrial(context);
    expect(told(await trial.pod())).toMatchObject({
      untilEpoch: 2,
      parameters: { training: { epochs: 10 } },
    });
    const first = await trial.pause();
    await isComplete(here);
    const paused = await trial.now();
    expect(paused.status).toMatchObject({
      message:
        'Trained to epoch 2; best validation accuracy 61.00 %. It holds no GPU, and is trained on if it is among the best.',
      rungs: rungsTo(2),
      ...{ attempts: 1, preemptions: 0 },
      pods: [{ name: first.metadata.name, outcome: 'Succeeded' }],
    });
    expect(paused.status).not.toHaveProperty('failures');
    expect(paused.status).not.toHaveProperty('completionTime');
    expect(conditionsOf(paused)).toMatchObject({
      Complete: expect.stringMatching(/^False Unfinished/),
      Failed: expect.stringMatching(/^False Unfinished/),
      Progressing: expect.stringMatching(/^True AtRung/),
    });
    expect((await here.told(name, 'AtRung')).at(-1)).toMatchObject({ type: 'Normal' });
    const job = await here.job(name);
    await staysQuiet(here, job.metadata.uid);

    await trial.change({ untilEpoch: 4 });
    const second = await trial.train();
    expect(told(second)).toMatchObject({ untilEpoch: 4 });
    expect((await here.job(name)).metadata.uid).not.toBe(job.metadata.uid);
    expect((await trial.now()).status?.rungs).toEqual(rungsTo(2));
    await trial.kubelet.succeed(second, pausedAt(4));
    await trial.phase('Paused', 'AtRung', ({ status }) => status?.rungs?.length === 2);

    await trial.change({ untilEpoch: null });
    const third = await trial.train();
    expect(told(third)).not.toHaveProperty('untilEpoch');
    await trial.kubelet.succeed(third);
    const { metadata, status } = await trial.phase('Succeeded', 'Trained');
    expect(metadata.uid).toBe(paused.metadata.uid);
    expect(status).toMatchObject({ rungs: rungsTo(2, 4), attempts: 3, result: { testAccuracy: 0.7561 } });
    expect(status).not.toHaveProperty('failures');
  });

  it('whose epoch is raised while it trains, is left alone, and goes on after its rung', async (context) => {
    const [here, trial] = await openTrial(context);
    const pod = await trial.train();
    await trial.change({ untilEpoch: 4 });
    await trial.phase('Running', 'Training', ({ metadata, status }) => {
      return status?.observedGeneration === metadata.generation;
    });
    expect((await trial.pod()).metadata).toMatchObject({ uid: pod.metadata.uid });
    await trial.kubelet.succeed(pod, pausedAt(2));
    await trial.kubelet.gone(pod);
    const next = await trial.train();
    expect(told(next)).toMatchObject({ untilEpoch: 4 });
    expect((await trial.now()).status?.rungs).toEqual(rungsTo(2));
    expect(await here.told(name, 'JobDeleted')).toContainEqual({
      type: 'Normal',
      reason: 'JobDeleted',
      note: `Deleted Job ${name}: its Run is trained on; another follows.`,
    });
  });

  it('stays there when its Job and its pod are deleted, and goes on all the same', async (context) => {
    const [here, trial] = await openTrial(context);
    const pod = await trial.pause();
    await here.deleteJob(name);
    await trial.kubelet.gone(pod);
    await staysQuiet(here, undefined);
    expect((await trial.now()).status).toMatchObject({ phase: 'Paused', rungs: rungsTo(2) });
    await trial.change({ untilEpoch: 4 });
    await trial.kubelet.succeed(await trial.train(), pausedAt(4));
    const { status } = await trial.phase('Paused', 'AtRung', (run) => run.status?.rungs?.length === 2);
    expect(status).toMatchObject({ rungs: rungsTo(2, 4), attempts: 2, preemptions: 0 });
  });

  it('and is stopped there, is Stopped', async (context) => {
    const [here, trial] = await openTrial(context);
    await trial.pause();
    await isComplete(here);
    await trial.change({ stop: { reason: 'StudyEnded', message: 'The study has ended.' } });
    const { status } = await trial.phase('Stopped', 'StudyEnded');
    expect(status).toMatchObject({ rungs: rungsTo(2), attempts: 1, completionTime: expect.any(String) });
  });

  it('and may not train, is trained on once it may', async (context) => {
    const [here, trial] = await openTrial(context);
    await trial.pause();
    await isComplete(here);
    const { uid } = (await here.job(name)).metadata;
    const seen = ({ metadata, status }: Run) => status?.observedGeneration === metadata.generation;
    await trial.change({ suspend: true });
    await trial.phase('Paused', 'AtRung', seen);
    await trial.change({ untilEpoch: 4 });
    await trial.phase('Waiting', 'Paused', seen);
    await staysQuiet(here, uid);
    await trial.change({ suspend: false });
    expect(told(await trial.train())).toMatchObject({ untilEpoch: 4 });
  });

  it('and whose word is lost, says it again to another pod', async (context) => {
    const [here, trial] = await openTrial(context);
    const pod = await trial.kubelet.succeed(await trial.train(), '');
    const lost = (await here.told(name, 'ResultUnread')).find(({ reason }) => reason === 'ResultUnread');
    expect(lost?.note).toContain('reads it from checkpoints/last.safetensors of');
    await trial.kubelet.gone(pod);
    await trial.kubelet.succeed(await trial.train(), pausedAt(2));
    const run = await trial.phase('Paused', 'AtRung');
    expect(run.status).toMatchObject({ rungs: rungsTo(2), attempts: 2 });
    expect(conditionsOf(run).ResultUnread).toMatch(/^False AtRung/);
    await trial.change({ untilEpoch: 4 });
    await trial.train();
    const { annotations } = (await here.job(name)).metadata;
    expect(annotations).toMatchObject({ 'destillml.io/until-epoch': '4' });
    expect(annotations).not.toHaveProperty('destillml.io/reads-result');
  });

  it('and is preempted and fails between its rungs, has the retries that are left', async (context) => {
    const [here, trial] = await openTrial(context);
    await trial.pause();
    await trial.change({ untilEpoch: 4 });
    const taken = await trial.train();
    await trial.kubelet.disrupt(taken, { reason: 'EvictionByEvictionAPI', message: 'drained' });
    await trial.kubelet.remove(taken, preempted);
    await trial.kubelet.fail(await trial.train(), { exitCode: 1, message: '' });
    await trial.kubelet.succeed(await trial.train(), pausedAt(4));
    const { status } = await trial.phase('Paused', 'AtRung', (run) => run.status?.rungs?.length === 2);
    expect(status).toMatchObject({ attempts: 4, failures: 1, preemptions: 1, rungs: rungsTo(2, 4) });
    await trial.change({ untilEpoch: null });
    await trial.train();
    expect((await here.job(name)).spec?.backoffLimit).toBe(0);
  });

  it('shows trial, rung, accuracy and values in kubectl', async (context) => {
    const [here, trial] = await openTrial(context);
    await trial.pause();
    const progress = { epoch: 2, epochs: 10, step: 0, steps: 9, bestValidationAccuracy: 0.61 };
    await client.send(
      'PATCH',
      `${here.path('runs', name)}/status`,
      { status: { progress: { ...progress, updatedAt: new Date().toISOString() } } },
      { contentType: 'application/merge-patch+json' },
    );
    const table = await client.kubectl('get', '-n', here.namespace, 'drun', name);
    const [header = '', row = ''] = table.trimEnd().split('\n');
    /** What stands below a column's name. */
    const below = (column: string) => {
      const at = header.indexOf(column);
      return row.slice(at).split(/ {2,}/)[0];
    };
    const columns = ['PHASE', 'STUDENT', 'TRIAL', 'EPOCH', 'RUNG', 'VALIDATION', 'VALUES'];
    expect(columns.map(below)).toEqual(['Paused', 'small', '17', '2', '2', '0.61', 'learningRate=0.03']);
  });
});

describe('the writes of the operator', () => {
  it('are few for each pause and each promotion', async (context) => {
    const proxy = await SeveredProxy.open(client.access);
    const here = await openLab(context, client, { kubeconfig: proxy.kubeconfig });
    context.onTestFinished(() => proxy.close());
    const trial = new Trial(here);
    here.play({ result: words });
    await trial.create();
    await trial.phase('Paused', 'AtRung');
    await isComplete(here);
    const ofTrial = (writes: readonly string[]) =>
      Object.groupBy(
        writes.filter((write) => /runs\/status|jobs/.test(write)),
        (write) => write,
      );
    const counted = (since: number) =>
      Object.fromEntries(
        Object.entries(ofTrial(proxy.writes.slice(since))).map(([kind, all]) => [kind, all?.length]),
      );
    // That it trains, and came to its rung; that it is queued, waits and starts, where that takes seconds.
    expect(counted(0)['POST jobs']).toBe(1);
    expect(counted(0)['PATCH runs/status']).toBeLessThanOrEqual(2 + 3);
    const before = proxy.writes.length;
    await trial.change({ untilEpoch: 4 });
    await trial.phase('Paused', 'AtRung', ({ status }) => status?.rungs?.length === 2);
    await isComplete(here);
    const { 'PATCH runs/status': written, ...ofJobs } = counted(before);
    expect(ofJobs).toEqual({ 'DELETE jobs': 1, 'POST jobs': 1 });
    // That it is trained on, trains, and came to its rung; that it is queued, waits and starts, where that takes seconds.
    expect(written).toBeLessThanOrEqual(3 + 3);
  });
});

describe('an operator that is killed before and after every single write', () => {
  it('loses no rung, has none twice, and makes one Job for each', async () => {
    const here = new Lab(client, await client.newNamespace('rungs'));
    const trial = new Trial(here);
    const ending = new AbortController();
    const kubelet = playKubelet(client, {
      namespaces: [here.namespace],
      runMilliseconds: 100,
      result: words,
      signal: ending.signal,
    });
    const watching = watchAll(client.access);
    const everJobs = watching.ever(jobs, here.namespace);
    onTestFinished(async () => {
      ending.abort(new Error('the test is over'));
      await Promise.all([kubelet.ended, watching.stop()]);
    });
    await trial.create();

    /** What a study does: it raises the epoch of a Run that waits at a rung. */
    const promote = async () => {
      const { spec, status } = await trial.now();
      const isThere = status?.phase === 'Paused' && status.rungs?.at(-1)?.epoch === spec.untilEpoch;
      if (isThere) await trial.change({ untilEpoch: spec.untilEpoch === 2 ? 4 : null });
      return status?.phase === 'Succeeded' || undefined;
    };
    let lives = 0;
    for (let severed = true; severed; lives += 1) {
      const proxy = await SeveredProxy.open(client.access, {
        write: 1,
        when: lives % 2 === 0 ? 'before' : 'after',
      });
      const { stop } = await startOperator(proxy.kubeconfig, [here.namespace]);
      let isOver = false;
      const done = waitFor('the trial to succeed', async () => isOver || promote(), patience);
      severed = await Promise.race([proxy.severed.then(() => true), done.then(() => false)]);
      isOver = true;
      await done;
      await proxy.close();
      await stop();
    }
    const { status } = await trial.now();
    expect(status).toMatchObject({
      phase: 'Succeeded',
      rungs: rungsTo(2, 4),
      ...{ attempts: 3, preemptions: 0, result: { validationAccuracy: 0.7 } },
    });
    expect(status?.pods?.map(({ outcome }) => outcome)).toEqual(Array(3).fill('Succeeded'));
    expect(status).not.toHaveProperty('failures');
    expect(everJobs.get(name)?.size).toBe(3);
    expect(kubelet.podsOf({ namespace: here.namespace, name })).toHaveLength(3);
    expect(kubelet.mostLive(here.namespace)).toBe(1);
    // At the least: each Job was made, each but the last deleted, and each end of a pod written.
    expect(lives).toBeGreaterThan(2 * (3 + 2 + 3));
  });
});
