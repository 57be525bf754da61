import { afterAll, describe, expect, inject, it } from 'vitest';
import { Client } from '../cluster/client.ts';
import { trained } from './kubelet.ts';
import { experiment } from './operator-fixtures.ts';
import { conditionsOf, openLab } from './operator-lab.ts';

const client = new Client(inject('controlPlane'));
afterAll(() => client.close());

const noArms = { distillation: [] };
const diverged = {
  outcome: 'failed',
  code: 'TrainingDiverged',
  message: 'The loss is NaN in epoch 3.',
} as const;
const corrupt = {
  outcome: 'failed',
  code: 'DatasetCorrupt',
  message: 'labels.gz: 3 bytes are missing.',
} as const;
const invalid = { outcome: 'failed', code: 'InvalidSpec', message: 'There is no network x.' } as const;
const unlucky = { outcome: 'failed', code: 'StorageError', message: 'The volume is full.' } as const;

describe.concurrent('a teacher that fails', () => {
  it('has its students skipped, while baselines train, and the Experiment ends', async (context) => {
    const here = await openLab(context, client);
    const kubelet = here.play({
      result: ({ labels }) =>
        labels['destillml.io/role'] === 'teacher' ? { exitCode: 70, message: diverged } : trained(),
    });
    await here.apply(experiment('study'));
    const done = await here.ended('study');
    const teacher = (await here.run('teacher')).metadata.name;
    expect(await here.phases()).toEqual({ teacher: 'Failed', baseline: 'Succeeded', soft: 'Skipped' });
    const ended = `Run ${teacher}, the teacher, ended Failed: TrainingDiverged: The loss is NaN in epoch 3.`;
    expect(await here.phase('soft', 'Skipped')).toMatchObject({
      spec: { stop: { reason: 'TeacherFailed', message: ended } },
      status: { reason: 'TeacherFailed', message: ended, attempts: 0 },
    });
    expect(done.status).toMatchObject({ runs: { Succeeded: 1, Failed: 1, Skipped: 1 } });
    expect(done.status?.best).toBeUndefined();
    expect(conditionsOf(done)).toMatchObject({
      Complete: `True SomeRunsFailed: 1 of 3 Runs succeeded, 1 Failed, 1 Skipped. First: Run ${teacher}: Failed: TrainingDiverged: The loss is NaN in epoch 3.`,
      Failed: expect.stringMatching(/^False SomeRunsFailed/),
      TeacherReady: `False TeacherFailed: ${ended}`,
    });
    expect(kubelet.pods()).toHaveLength(2);
    await here.quiet();
  });
});

describe.concurrent('a trainer whose error no retry can mend', () => {
  it('is not tried again, whatever retries are left; if no Run succeeds, the Experiment is Failed', async (context) => {
    const here = await openLab(context, client);
    const words = { teacher: corrupt, small: diverged, tiny: invalid } as const;
    const codes = { teacher: 65, small: 70, tiny: 78 } as const;
    const kubelet = here.play({
      result: ({ labels }) => {
        const who = (labels['destillml.io/student'] ?? 'teacher') as keyof typeof words;
        return { exitCode: codes[who], message: words[who] };
      },
    });
    const students = [
      { name: 'small', model: 'resnet8' },
      { name: 'tiny', model: 'resnet8' },
    ];
    await here.apply(experiment('study', { ...noArms, students }));
    const done = await here.ended('study', 'Failed');
    const runs = await here.runs();
    const endOf = (student?: string) => {
      const { status } = runs.find(({ spec }) => spec.parameters.student === student)!;
      return [status?.phase, status?.reason, status?.message, status?.attempts];
    };
    expect(endOf()).toEqual(['Failed', 'DatasetCorrupt', corrupt.message, 1]);
    expect(endOf('small')).toEqual(['Failed', 'TrainingDiverged', diverged.message, 1]);
    expect(endOf('tiny')).toEqual(['Failed', 'InvalidSpec', invalid.message, 1]);
    expect(
      kubelet
        .pods()
        .map(({ exitCode }) => exitCode)
        .sort(),
    ).toEqual([65, 70, 78]);
    const teacher = (await here.run('teacher')).metadata.name;
    const text = `0 of 3 Runs succeeded, 3 Failed. First: Run ${teacher}: Failed: DatasetCorrupt: ${corrupt.message}`;
    expect(conditionsOf(done)).toMatchObject({
      Failed: `True NoRunSucceeded: ${text}`,
      Complete: `False NoRunSucceeded: ${text}`,
      Progressing: `False NoRunSucceeded: ${text}`,
    });
    expect(await here.told('study', 'NoRunSucceeded')).toContainEqual({
      type: 'Warning',
      reason: 'NoRunSucceeded',
      note: text,
    });
    await here.quiet();
  });
});

describe.concurrent('a trainer that fails otherwise', () => {
  it('is tried again, and what went wrong is told of until then', async (context) => {
    const here = await openLab(context, client);
    await here.apply(experiment('study', noArms));
    const pod = await here.train('teacher');
    await here.kubelet.fail(pod, { exitCode: 1, message: unlucky });
    const waiting = await here.phase('teacher', 'Starting', 'StorageError');
    expect(waiting.status?.message).toBe(
      'The volume is full. Another attempt follows and goes on from the last checkpoint.',
    );
    expect(conditionsOf(waiting)).toMatchObject({
      LastAttemptFailed: 'True StorageError: The volume is full.',
      Failed: 'False Unfinished: The Run has not ended.',
    });
    const { name } = waiting.metadata;
    expect(await here.told(name, 'StorageError')).toContainEqual({
      type: 'Warning',
      reason: 'StorageError',
      note: 'The volume is full.',
    });

    const next = await here.train('teacher');
    expect(conditionsOf(await here.run('teacher'))).toMatchObject({
      LastAttemptFailed: 'True StorageError: The volume is full.',
    });
    await here.kubelet.succeed(next);
    const done = await here.phase('teacher', 'Succeeded');
    expect(done.status).toMatchObject({
      attempts: 2,
      preemptions: 0,
      pods: [{ outcome: 'Failed' }, { outcome: 'Succeeded' }],
      result: { testAccuracy: 0.7561 },
    });
    expect(conditionsOf(done)).toMatchObject({
      LastAttemptFailed: expect.stringMatching(/^False Trained: /),
    });
  });

  it('ends Failed with its last error when no attempt is left', async (context) => {
    const here = await openLab(context, client);
    const kubelet = here.play({
      result: ({ labels, attempt }) =>
        labels['destillml.io/role'] === 'teacher'
          ? trained()
          : { exitCode: 1, message: { ...unlucky, message: `Attempt ${attempt} found the volume full.` } },
    });
    await here.apply(experiment('study', { ...noArms, retries: 1 }));
    await here.ended('study');
    const failed = await here.run('baseline');
    expect(failed.status).toMatchObject({
      phase: 'Failed',
      reason: 'StorageError',
      message: 'Attempt 2 found the volume full. No attempt is left (spec.retries is 1).',
      attempts: 2,
      pods: [{ outcome: 'Failed' }, { outcome: 'Failed' }],
    });
    expect(conditionsOf(failed)).toMatchObject({
      Failed: 'True StorageError: Attempt 2 found the volume full. No attempt is left (spec.retries is 1).',
      Complete: expect.stringMatching(/^False /),
      LastAttemptFailed: 'True StorageError: Attempt 2 found the volume full.',
    });
    expect(kubelet.podsOf({ namespace: here.namespace, name: failed.metadata.name })).toHaveLength(2);
    expect((await here.told(failed.metadata.name, 'StorageError')).at(-1)).toEqual({
      type: 'Warning',
      reason: 'StorageError',
      note: 'Attempt 2 found the volume full. No attempt is left (spec.retries is 1).',
    });
    await here.quiet();
  });
});

describe.concurrent('activeDeadlineSeconds', () => {
  it('ends a Run that takes longer, with a checkpoint', async (context) => {
    const here = await openLab(context, client);
    const kubelet = here.play({ runMilliseconds: Number.POSITIVE_INFINITY });
    await here.apply(experiment('study', { activeDeadlineSeconds: 3 }));
    await here.ended('study', 'Failed');
    expect(await here.phases()).toEqual({ teacher: 'Failed', baseline: 'Failed', soft: 'Skipped' });
    expect((await here.run('baseline')).status).toMatchObject({
      reason: 'DeadlineExceeded',
      message:
        'It took longer than spec.activeDeadlineSeconds (3). Raise it, and delete the Run: it is tried again and goes on from the last checkpoint.',
      attempts: 1,
      preemptions: 0,
      pods: [{ outcome: 'Stopped' }],
    });
    expect(kubelet.pods().map(({ exitCode }) => exitCode)).toEqual([75, 75]);
    await here.quiet();
  });
});
