import { afterAll, describe, expect, inject, it } from 'vitest';
import type { Run } from '../../operator/controllers/kinds.ts';
import { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { type PlayOptions, trained } from './kubelet.ts';
import { experiment, patience } from './operator-fixtures.ts';
import { openLab, type TestLab } from './operator-lab.ts';

const client = new Client(inject('controlPlane'));
afterAll(() => client.close());

const everything = ['experiments', 'runs', 'jobs', 'pods'] as const;
const endless = { runMilliseconds: Number.POSITIVE_INFINITY };

/** An Experiment, two of whose three Runs train. */
async function training(here: TestLab): Promise<void> {
  await here.apply(experiment('study'));
  await here.until('study', 'to have two Runs running', ({ status }) => status?.runs?.Running === 2);
}

const uids = (runs: readonly Run[]) => runs.map(({ metadata }) => metadata.uid);
const owners = (runs: readonly Run[]) =>
  runs.map(({ metadata }) => metadata.ownerReferences?.map(({ uid }) => uid));

describe.concurrent('an Experiment that is deleted while it trains', () => {
  it.for(['Background', 'Foreground'])(
    'takes Runs, Jobs and pods along, which write a checkpoint first (%s)',
    async (policy, context) => {
      const here = await openLab(context, client);
      const kubelet = here.play({ ...endless });
      await training(here);
      await here.delete('experiments', 'study', policy);
      await here.empty(...everything);
      expect(kubelet.pods().map(({ exitCode }) => exitCode)).toEqual([75, 75]);
    },
  );

  it('and made again at once under its name trains all of its own Runs, and none of the old', async (context) => {
    const here = await openLab(context, client);
    const pace: Partial<PlayOptions> = { ...endless };
    const kubelet = here.play(pace);
    await training(here);
    const [old, pods] = [await here.experiment('study'), kubelet.pods()];
    await here.delete('experiments', 'study');
    const fresh = await here.apply(experiment('study'));
    await waitFor('the old pods to go', () => pods.every(({ until }) => until) || undefined, patience);
    Object.assign(pace, { runMilliseconds: 100 });

    await here.ended('study');
    const runs = await here.runs();
    expect(fresh.metadata.uid).not.toBe(old.metadata.uid);
    expect(owners(runs)).toEqual(Array(3).fill([fresh.metadata.uid]));
    expect(runs.map(({ status }) => [status?.phase, status?.attempts])).toEqual(
      Array(3).fill(['Succeeded', 1]),
    );
    expect(kubelet.pods().map(({ exitCode }) => exitCode)).toEqual([75, 75, 0, 0, 0]);
    const jobs = await here.jobs();
    expect(jobs.map(({ metadata }) => metadata.ownerReferences?.[0]?.uid).sort()).toEqual(uids(runs).sort());
    await here.quiet();
  });
});

describe.concurrent('an Experiment that is deleted without its Runs', () => {
  it('takes them up again with their results when it is applied again', async (context) => {
    const here = await openLab(context, client);
    const kubelet = here.play({ result: () => trained({ testAccuracy: 0.5 }) });
    await here.apply(experiment('study'));
    const { status } = await here.ended('study');
    const before = await here.runs();
    await here.delete('experiments', 'study', 'Orphan');
    await here.empty('experiments');
    const orphans = await here.runs();
    expect(uids(orphans)).toEqual(uids(before));
    expect(owners(orphans)).toEqual(Array(3).fill(undefined));

    const again = await here.apply(experiment('study'));
    const done = await here.ended('study');
    const [startTime] = before.map((run) => run.status?.startTime).sort();
    expect(done.status).toMatchObject({ best: status!.best, runs: { Succeeded: 3 }, startTime });
    const adopted = await here.runs();
    expect(uids(adopted)).toEqual(uids(before));
    expect(owners(adopted)).toEqual(Array(3).fill([again.metadata.uid]));
    expect(adopted.map((run) => run.status)).toEqual(before.map((run) => run.status));
    expect((await here.told('study', 'RunsAdopted')).filter(({ reason }) => /^Runs/.test(reason))).toEqual([
      { type: 'Normal', reason: 'RunsCreated', note: 'Created 3 Runs.' },
      { type: 'Normal', reason: 'RunsAdopted', note: 'Adopted 3 Runs.' },
    ]);
    expect(kubelet.pods()).toHaveLength(3);
  });

  it('leaves those that train to train on', async (context) => {
    const here = await openLab(context, client);
    const pace: Partial<PlayOptions> = { ...endless };
    const kubelet = here.play(pace);
    await training(here);
    const before = await here.runs();
    await here.delete('experiments', 'study', 'Orphan');
    await here.empty('experiments');
    Object.assign(pace, { runMilliseconds: 100 });
    await here.phase('teacher', 'Succeeded');
    await here.phase('baseline', 'Succeeded');

    await here.apply(experiment('study'));
    await here.ended('study');
    expect(uids(await here.runs())).toEqual(uids(before));
    expect(kubelet.pods()).toHaveLength(3);
  });
});

describe.concurrent('ttlSecondsAfterFinished', () => {
  it('deletes the Experiment and everything of it that long after its end', async (context) => {
    const here = await openLab(context, client);
    here.play();
    await here.apply(experiment('study', { ttlSecondsAfterFinished: 3 }));
    const done = await here.ended('study');
    const end = Date.parse(done.status!.completionTime!);
    await here.empty('experiments');
    expect(Date.now() - end).toBeGreaterThanOrEqual(3000);
    await here.empty(...everything);
    expect((await here.told('study', 'Expired')).at(-1)).toEqual({
      type: 'Normal',
      reason: 'Expired',
      note: 'Deleted 3 s after its end (spec.ttlSecondsAfterFinished).',
    });
  });

  it('that is set later counts from the end, too', async (context) => {
    const here = await openLab(context, client);
    here.play();
    await here.apply(experiment('study'));
    await here.ended('study');
    await here.change('experiments', 'study', { ttlSecondsAfterFinished: 0 });
    await here.empty(...everything);
  });
});
