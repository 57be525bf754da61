import { afterAll, describe, expect, inject, it } from 'vitest';
import type { Run } from '../../operator/controllers/kinds.ts';
import { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { type Play, type PlayOptions, type PodRecord, trained } from './kubelet.ts';
import { experiment, runOperator } from './operator-fixtures.ts';
import { conditionsOf, openLab } from './operator-lab.ts';

const client = new Client(inject('controlPlane'));
afterAll(() => client.close());

const arms = [
  { name: 'soft', softTargets: {} },
  { name: 'hint', hints: {} },
];
/** Pods train until the test lets them end. */
const endless = () => ({ runMilliseconds: Number.POSITIVE_INFINITY });
const letEnd = (pace: Pick<PlayOptions, 'runMilliseconds'>) => Object.assign(pace, { runMilliseconds: 100 });

const live = (pods: readonly PodRecord[]) => pods.filter(({ until }) => until === undefined);

function liveToBe(count: number, kubelet: Play): Promise<true> {
  return waitFor(`${count} live pods`, () => live(kubelet.pods()).length === count || undefined);
}

/** The greatest number of pods that lived at one time, of those made after that revision and those that lived then. */
function mostLiveSince(revision: number, kubelet: Play): number {
  const later = kubelet.pods().filter(({ until = Number.POSITIVE_INFINITY }) => until > revision);
  const at = (time: number) =>
    later.filter(({ from, until = Number.POSITIVE_INFINITY }) => from <= time && time < until).length;
  return Math.max(...later.map(({ from }) => at(Math.max(from, revision))));
}

const brief = ({ metadata: { name, uid }, status }: Run) => ({ name, uid, attempts: status?.attempts });

describe.concurrent('parallelism', () => {
  it('is never exceeded, also while it is raised and lowered', async (context) => {
    const here = await openLab(context, client);
    const pace: Partial<PlayOptions> = endless();
    const kubelet = here.play(pace);
    await here.apply(experiment('study', { distillation: [], seeds: [1, 2, 3, 4, 5], parallelism: 2 }));
    await liveToBe(2, kubelet);
    await here.until('study', 'to have two Runs running', ({ status }) => status?.runs?.Running === 2);
    expect(kubelet.mostLive(here.namespace)).toBe(2);

    await here.change('experiments', 'study', { parallelism: 4 });
    await liveToBe(4, kubelet);
    await here.until('study', 'to have four', ({ status }) => status?.runs?.Running === 4);
    expect(kubelet.mostLive(here.namespace)).toBe(4);

    await here.change('experiments', 'study', { parallelism: 1 });
    await liveToBe(1, kubelet);
    // Those that started last make room; the teacher is the last to.
    const [{ run: kept, until: revision = 0 } = { run: '' }] = live(kubelet.pods());
    expect(kept).toBe((await here.run('teacher')).metadata.name);
    const fallen = Math.max(revision, ...kubelet.pods().map(({ until = 0 }) => until));
    const paused = await here.until('study', 'to have one', ({ status }) => status?.runs?.Waiting === 5);
    expect(paused.status).toMatchObject({ phase: 'Running', runs: { Running: 1, Waiting: 5 } });

    letEnd(pace);
    await here.ended('study');
    expect(mostLiveSince(fallen, kubelet)).toBe(1);
    const told = kubelet.pods().filter(({ exitCode }) => exitCode === 75);
    expect(told).toHaveLength(3);
    for (const run of await here.runs()) {
      const wasTold = told.some((pod) => pod.run === run.metadata.name);
      expect(run.status).toMatchObject({
        phase: 'Succeeded',
        attempts: wasTold ? 2 : 1,
        preemptions: 0,
        pods: [...(wasTold ? [{ outcome: 'Stopped' }] : []), { outcome: 'Succeeded' }],
      });
    }
    await here.quiet();
  });
});

describe.concurrent('suspend', () => {
  it('has the running pods write a checkpoint and go, and later go on with the same Runs', async (context) => {
    const here = await openLab(context, client);
    const pace: Partial<PlayOptions> = endless();
    const kubelet = here.play(pace);
    await here.apply(experiment('study'));
    await here.until('study', 'to have two Runs running', ({ status }) => status?.runs?.Running === 2);
    const before = await here.runs();

    await here.change('experiments', 'study', { suspend: true });
    await here.empty('jobs', 'pods');
    expect(kubelet.pods().map(({ exitCode }) => exitCode)).toEqual([75, 75]);
    const suspended = await here.until(
      'study',
      'to have paused all',
      ({ status }) => status?.runs?.Waiting === 3,
    );
    expect(suspended.status).toMatchObject({ phase: 'Suspended', observedGeneration: 2 });
    expect(conditionsOf(suspended)).toMatchObject({
      Suspended: 'True SuspendRequested: spec.suspend is true; set it to false to go on.',
      Progressing: 'False Suspended: spec.suspend is true.',
      Complete: 'False RunsUnfinished: 3 of 3 Runs have not ended.',
    });
    expect(await here.phase('teacher', 'Waiting', 'Paused')).toMatchObject({
      spec: { suspend: true },
      status: {
        message: 'Paused; it goes on when it is its turn again.',
        attempts: 1,
        preemptions: 0,
        pods: [{ outcome: 'Stopped' }],
      },
    });
    expect(await here.told('study', 'SuspendRequested')).toContainEqual({
      type: 'Normal',
      reason: 'SuspendRequested',
      note: 'spec.suspend is true; set it to false to go on.',
    });

    letEnd(pace);
    await here.change('experiments', 'study', { suspend: false });
    const done = await here.ended('study');
    expect(conditionsOf(done)).toMatchObject({
      Suspended: 'False NotRequested: spec.suspend is false.',
      Complete: 'True AllRunsSucceeded: 3 of 3 Runs succeeded.',
    });
    const uids = (runs: readonly Run[]) => runs.map(({ metadata }) => metadata.uid).sort();
    expect(uids(await here.runs())).toEqual(uids(before));
    const attempts = async (role: string) => (await here.run(role)).status?.attempts;
    expect([await attempts('teacher'), await attempts('baseline'), await attempts('soft')]).toEqual([
      2, 2, 1,
    ]);
    expect(await here.told('study', 'Resumed')).toContainEqual({
      type: 'Normal',
      reason: 'Resumed',
      note: 'spec.suspend is false: Runs go on.',
    });
  });

  it('from the start creates Runs and starts none', async (context) => {
    const here = await openLab(context, client);
    await here.apply(experiment('study', { suspend: true }));
    const { status } = await here.until('study', 'to be Suspended', (it) => it.status?.runs?.Waiting === 3);
    expect(status).toMatchObject({ phase: 'Suspended' });
    expect(status?.startTime).toBeUndefined();
    expect(await here.jobs()).toEqual([]);
  });
});

describe.concurrent('a Complete Experiment', () => {
  it('trains only what is new when an arm, a seed and a student are added', async (context) => {
    const here = await openLab(context, client);
    const kubelet = here.play();
    await here.apply(experiment('study'));
    await here.ended('study');
    await here.quiet();
    const versions = async () =>
      [...(await here.runs()), ...(await here.jobs())].map(({ metadata: { uid, resourceVersion } }) => [
        uid,
        resourceVersion,
      ]);
    const before = await versions();

    const names = async () => (await here.runs()).map(({ metadata }) => metadata.name);
    const first = new Set(await names());
    await here.change('experiments', 'study', { distillation: arms });
    await here.ended('study');
    const withArm = (await names()).filter((name) => !first.has(name));
    expect(withArm).toEqual([expect.stringMatching(/^study-distilled-hint-small-s1-/)]);

    await here.change('experiments', 'study', {
      seeds: [1, 2],
      students: [
        { name: 'small', model: 'resnet8' },
        { name: 'tiny', model: 'resnet8' },
      ],
    });
    const done = await here.ended('study');
    // One teacher; two students, each plain and by two arms, with two seeds.
    expect(done.status).toMatchObject({ runs: { Succeeded: 13 }, observedGeneration: 3 });
    expect(await versions()).toEqual(expect.arrayContaining(before));
    expect(kubelet.pods()).toHaveLength(13);
    const again = (await here.runs()).filter(({ status }) => status?.attempts !== 1);
    expect(again.map(brief)).toEqual([]);
    await here.quiet();
  });

  it('trains a Run again that is deleted, and no other', async (context) => {
    const here = await openLab(context, client);
    const kubelet = here.play();
    await here.apply(experiment('study'));
    await here.ended('study');
    const [old, teacher] = [await here.run('baseline'), await here.run('teacher')];
    const { name } = old.metadata;

    await here.delete('runs', name);
    const open = await here.until('study', 'to be open again', ({ status }) => status?.phase !== 'Complete');
    expect(open.status?.completionTime).toBeUndefined();
    await here.ended('study');
    const fresh = await here.run('baseline');
    expect(fresh.metadata.name).toBe(name);
    expect(fresh.metadata.uid).not.toBe(old.metadata.uid);
    expect(fresh.status).toMatchObject({ phase: 'Succeeded', attempts: 1 });
    expect(kubelet.podsOf({ namespace: here.namespace, name })).toHaveLength(2);
    expect(kubelet.pods()).toHaveLength(4);
    expect(await here.run('teacher')).toEqual(teacher);
    const jobs = await here.jobs();
    expect(jobs.map(({ metadata }) => metadata.ownerReferences?.[0]?.uid).sort()).toEqual(
      (await here.runs()).map(({ metadata }) => metadata.uid).sort(),
    );
  });

  it('stays so when the Job of a Run that has ended is deleted', async (context) => {
    const here = await openLab(context, client);
    const kubelet = here.play();
    await here.apply(experiment('study'));
    await here.ended('study');
    await here.quiet();
    const run = await here.run('baseline');
    await here.deleteJob(run.metadata.name);
    // Another Run that is deleted comes back: before its Job came, the operator has seen this one go.
    await here.delete('runs', (await here.run('soft')).metadata.name);
    await here.until('study', 'to train it again', ({ status }) => status?.phase !== 'Complete');
    await here.ended('study');
    expect(await here.run('baseline')).toEqual(run);
    expect((await here.jobs()).map(({ metadata }) => metadata.name)).not.toContain(run.metadata.name);
    expect(kubelet.podsOf({ namespace: here.namespace, name: run.metadata.name })).toHaveLength(1);
  });
});

describe.concurrent('an operator with another trainer', () => {
  it('trains what is left with it, and nothing again, even where Jobs and pods are gone', async (context) => {
    const here = await openLab(context, client);
    const pace: Partial<PlayOptions> = endless();
    const kubelet = here.play(pace);
    await here.apply(experiment('study', { distillation: [], parallelism: 1 }));
    await liveToBe(1, kubelet);
    await here.phase('teacher', 'Running');
    await here.operator.stop();
    letEnd(pace);
    await waitFor('the teacher to end', () => kubelet.pods().every(({ until }) => until) || undefined);
    const image = 'registry.example/trainer:2';
    const next = await runOperator(client.access.kubeconfig, [here.namespace], '--image-cpu', image);
    context.onTestFinished(next.stop);
    await here.ended('study');
    const images = async () =>
      (await here.pods()).map(({ metadata, spec }) => [metadata.uid, spec?.containers[0]?.image === image]);
    const [first, second] = kubelet.pods();
    expect(new Map((await images()) as [string, boolean][])).toEqual(
      new Map([
        [first!.uid, false],
        [second!.uid, true],
      ]),
    );

    const before = await here.runs();
    await next.stop();
    for (const { metadata } of before) await here.deleteJob(metadata.name);
    await here.empty('jobs', 'pods');
    const last = await runOperator(client.access.kubeconfig, [here.namespace]);
    context.onTestFinished(last.stop);
    await here.change('experiments', 'study', { seeds: [1, 2] });
    await here.ended('study');
    expect(await here.runs()).toEqual(expect.arrayContaining([...before]));
    expect(kubelet.pods()).toHaveLength(3);
  });
});

describe.concurrent('while it trains', () => {
  it('a Run that is deleted starts anew once its pod has gone, never beside it', async (context) => {
    const here = await openLab(context, client);
    await here.apply(experiment('study', { distillation: [] }));
    await here.train('teacher');
    const pod = await here.train('baseline');
    const old = await here.run('baseline');
    await here.delete('runs', old.metadata.name);
    await here.kubelet.toldToGo(pod);
    const waiting = await here.phase('baseline', 'Queued', 'JobOutdated');
    expect(waiting.status?.message).toBe(
      `An earlier Job named ${old.metadata.name} and its pod have to go first.`,
    );
    expect(waiting.metadata.uid).not.toBe(old.metadata.uid);
    expect((await here.pods()).map(({ metadata }) => metadata.name)).toContain(pod.metadata.name);

    await here.kubelet.remove(pod);
    const next = await here.train('baseline');
    expect(next.metadata.labels).toMatchObject({ 'destillml.io/run-uid': waiting.metadata.uid });
    expect((await here.run('baseline')).status).toMatchObject({ attempts: 1, preemptions: 0 });
  });

  it('a Run whose Job is deleted gets another, once its pod has gone', async (context) => {
    const here = await openLab(context, client);
    await here.apply(experiment('study', { distillation: [] }));
    const pod = await here.train('baseline');
    const { metadata } = await here.run('baseline');
    await here.deleteJob(metadata.name);
    await here.kubelet.toldToGo(pod);
    expect((await here.phase('baseline', 'Running', 'JobDeleted')).status?.message).toBe(
      'Its Job was deleted: its pod writes a checkpoint and ends; another Job follows.',
    );
    await here.kubelet.remove(pod);
    const next = await here.train('baseline');
    expect(next.metadata.uid).not.toBe(pod.metadata.uid);
    await here.kubelet.succeed(next);
    const done = await here.phase('baseline', 'Succeeded');
    expect(done.metadata.uid).toBe(metadata.uid);
    expect(done.status).toMatchObject({
      attempts: 2,
      preemptions: 0,
      pods: [{ outcome: 'Stopped' }, { outcome: 'Succeeded' }],
    });
  });
});

describe.concurrent('the scarcity stage', () => {
  it('trains the arm with the best validation accuracy, its own baseline beside it, on the least data', async (context) => {
    const here = await openLab(context, client);
    const accuracy: Readonly<Record<string, number>> = { soft: 0.71, hint: 0.74 };
    here.play({
      result: ({ labels }) =>
        trained({ validationAccuracy: accuracy[labels['destillml.io/arm'] ?? ''] ?? 0.7 }),
    });
    await here.apply(
      experiment('study', { distillation: arms, scarcity: { student: { model: 'resnet8' }, fraction: 0.1 } }),
    );
    const done = await here.ended('study');
    expect(done.status).toMatchObject({ runs: { Succeeded: 6 }, best: { arm: 'hint' } });
    expect(conditionsOf(done)).toMatchObject({
      ScarcityReady: 'True BestArm: Arm hint has the highest mean validation accuracy, 74.00 %.',
    });
    const scarce = (await here.runs()).filter(({ spec }) => spec.parameters.stage === 'scarcity');
    const teacher = (await here.run('teacher')).metadata.name;
    const parameters = scarce.map(({ spec }) => spec.parameters).sort((a, b) => a.role.localeCompare(b.role));
    expect(parameters).toMatchObject([
      { role: 'baseline', model: 'resnet8', dataset: { fraction: 0.1 } },
      { role: 'distilled', arm: 'hint', model: 'resnet8', dataset: { fraction: 0.1 }, teacherRun: teacher },
    ]);
    expect((await here.told('study', 'AllRunsSucceeded')).map(({ reason }) => reason)).toEqual([
      'RunsCreated',
      'TeacherSucceeded',
      'RunsCreated',
      'BestArm',
      'AllRunsSucceeded',
    ]);
    await here.quiet();
  });
});
