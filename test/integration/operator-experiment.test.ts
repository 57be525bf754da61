import { afterAll, describe, expect, inject, it } from 'vitest';
import { Client } from '../cluster/client.ts';
import { trained } from './kubelet.ts';
import { experiment } from './operator-fixtures.ts';
import { conditionsOf, openLab } from './operator-lab.ts';

const client = new Client(inject('controlPlane'));
afterAll(() => client.close());

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

describe.concurrent('an Experiment', () => {
  it('becomes Runs and Jobs, the teacher first, and ends Complete', async (context) => {
    const here = await openLab(context, client);
    await here.apply(experiment('study'));
    const [teacher, baseline] = [await here.train('teacher'), await here.train('baseline', 'gpu-2')];

    const [first, second, third] = [
      await here.run('teacher'),
      await here.run('baseline'),
      await here.run('soft'),
    ];
    const running = await here.until('study', 'to know them', ({ status }) => status?.runs?.Running === 2);
    expect(running.status).toEqual({
      observedGeneration: 1,
      phase: 'Running',
      runs: { Waiting: 1, Running: 2 },
      gpuSeconds: 0,
      startTime: time,
      conditions: expect.any(Array),
    });
    expect(conditionsOf(running)).toEqual({
      Complete: 'False RunsUnfinished: 3 of 3 Runs have not ended.',
      Failed: 'False RunsUnfinished: 3 of 3 Runs have not ended.',
      Progressing: 'True RunsActive: 2 Runs active, 1 waiting.',
      PrerequisitesMet: 'True Met: Nothing that it needs is missing.',
      Suspended: 'False NotRequested: spec.suspend is false.',
      TeacherReady: `False TeacherUnfinished: Run ${first.metadata.name} trains the teacher: Running.`,
    });
    expect(third).toMatchObject({
      spec: { suspend: true },
      status: { phase: 'Waiting' },
    });
    expect((await here.jobs()).map(({ metadata }) => metadata.name).sort()).toEqual(
      [first.metadata.name, second.metadata.name].sort(),
    );

    await here.kubelet.succeed(teacher, trained({ testAccuracy: 0.81 }));
    const distilled = await here.train('soft');
    await here.kubelet.succeed(distilled, trained({ testAccuracy: 0.7801 }));
    await here.kubelet.succeed(baseline, trained({ testAccuracy: 0.75 }));

    const done = await here.ended('study');
    expect(done.status).toEqual({
      observedGeneration: 1,
      phase: 'Complete',
      runs: { Succeeded: 3 },
      best: { arm: 'soft', student: 'small', testAccuracy: { mean: 0.7801 } },
      teacherAccuracy: { mean: 0.81 },
      baselineAccuracy: { mean: 0.75 },
      gpuSeconds: 0,
      startTime: time,
      completionTime: time,
      conditions: expect.any(Array),
    });
    expect(conditionsOf(done)).toEqual({
      Complete: 'True AllRunsSucceeded: 3 of 3 Runs succeeded.',
      Failed: 'False AllRunsSucceeded: 3 of 3 Runs succeeded.',
      Progressing: 'False AllRunsSucceeded: 3 of 3 Runs succeeded.',
      PrerequisitesMet: 'True Met: Nothing that it needs is missing.',
      Suspended: 'False NotRequested: spec.suspend is false.',
      TeacherReady: `True TeacherSucceeded: Run ${first.metadata.name} trained the teacher.`,
    });
    await here.quiet();

    expect(await here.told('study', 'AllRunsSucceeded')).toEqual([
      { type: 'Normal', reason: 'RunsCreated', note: 'Created 3 Runs.' },
      {
        type: 'Normal',
        reason: 'TeacherSucceeded',
        note: `Run ${first.metadata.name} trained the teacher.`,
      },
      { type: 'Normal', reason: 'AllRunsSucceeded', note: '3 of 3 Runs succeeded.' },
    ]);
    expect(await here.told(first.metadata.name, 'Trained')).toEqual([
      { type: 'Normal', reason: 'Started', note: `Pod ${teacher.metadata.name} trains on node gpu-1.` },
      {
        type: 'Normal',
        reason: 'Trained',
        note: 'Trained for 10 epochs; test accuracy 81.00 % with the weights of epoch 9.',
      },
    ]);
  });

  it('explains its networks in the end, and keeps what was found', async (context) => {
    const here = await openLab(context, client);
    await here.apply(experiment('study', { explain: { methods: ['gradCam'], images: 4 } }));
    const kubelet = here.play();
    const done = await here.ended('study');
    expect(done.status).toMatchObject({ phase: 'Complete', runs: { Succeeded: 4 } });

    const [teacher, baseline, soft] = [
      await here.run('teacher'),
      await here.run('baseline'),
      await here.run('soft'),
    ];
    const run = await here.run('explanation');
    const networks = [baseline.metadata.name, soft.metadata.name];
    expect(run.spec.parameters).toMatchObject({
      teacherRun: teacher.metadata.name,
      explanation: { methods: ['gradCam'], images: 4, networks },
    });
    expect(run.status).toMatchObject({
      phase: 'Succeeded',
      reason: 'Explained',
      message: 'Explained 16 images; figures and the report are in /artifacts/study-explanation.',
      explanation: { images: 16, maps: [{ map: 'gradCam', agreement: [1, 0.5], sane: true }] },
    });
    expect(kubelet.pods().at(-1)).toMatchObject({ run: run.metadata.name });
    const told = { type: 'Normal', reason: 'Explained', note: run.status?.message };
    expect(await here.told(run.metadata.name, 'Explained')).toContainEqual(told);
    await here.quiet();
  });

  it('shows what a user asks kubectl for', async (context) => {
    const here = await openLab(context, client);
    const kubelet = here.play({ result: ({ labels }) => trained(accuracyOf[labels['destillml.io/role']!]) });
    await here.apply(experiment('study'));
    const flags = ['--namespace', here.namespace];
    await client.kubectl('wait', 'experiment/study', '--for=condition=Complete', '--timeout=90s', ...flags);
    expect(kubelet.pods()).toHaveLength(3);

    const columns = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.trimEnd().split(/ {2,}/).join(' | '));
    expect(columns(await client.kubectl('get', 'dexp', ...flags))).toEqual([
      'NAME | PHASE | SUCCEEDED | QUEUED | RUNNING | FAILED | BEST | ACCURACY | BASELINE | TEACHER | QUEUE | AGE',
      expect.stringMatching(/^study \| Complete \| 3 \| soft \| 0\.7801 \| 0\.75 \| 0\.81 \| \d+s$/),
    ]);
    expect(columns(await client.kubectl('get', 'drun', ...flags)).sort()).toEqual([
      'NAME | PHASE | REASON | STUDENT | ARM | SEED | TRIAL | EPOCH | RUNG | ACCURACY | VALIDATION | AGE | VALUES',
      expect.stringMatching(
        /^study-baseline-small-s1-\w{10} \| Succeeded \| Trained \| small \| 1 \| 0\.75 \| \d+s$/,
      ),
      expect.stringMatching(
        /^study-distilled-soft-small-s1-\w{10} \| Succeeded \| Trained \| small \| soft \| 1 \| 0\.7801 \| \d+s$/,
      ),
      expect.stringMatching(/^study-teacher-s1-\w{10} \| Succeeded \| Trained \| 1 \| 0\.81 \| \d+s$/),
    ]);
    expect(await client.kubectl('get', 'destillml', '--output', 'name', ...flags)).toContain(
      'experiment.destillml.io/study\n',
    );
  });
});

const accuracyOf: Readonly<Record<string, { testAccuracy: number }>> = {
  teacher: { testAccuracy: 0.81 },
  baseline: { testAccuracy: 0.75 },
  distilled: { testAccuracy: 0.7801 },
};
