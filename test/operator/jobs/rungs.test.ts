import { describe, expect, it } from 'vitest';
import { type ObservedRun, observe } from '../../../operator/jobs/phase.ts';
import { isAsFarAsAsked } from '../../../operator/jobs/rungs.ts';
import { type Run, runStatus } from '../../../src/api/run.ts';
import { rungsOf } from '../../../src/plan/rungs.ts';
import { type Expected, statusOf } from './expectation.ts';
import {
  experimentWith,
  finished,
  jobWith,
  now,
  type PodOptions,
  podWith,
  result,
  running,
  runWith,
  started,
  terminated,
} from './world.ts';

type Row = Partial<Omit<ObservedRun, 'now'>>;

const see = (row: Row) =>
  observe({ run: runWith(), experiment: experimentWith(), pods: [], podsRead: true, now, ...row });
const { storage: _storage, ...withoutStorage } = experimentWith().spec;
const noStorage = { ...experimentWith(), spec: withoutStorage };

const rung = { epoch: 30, validationAccuracy: 0.71234 };
/** Of two GPUs for 500 s, written as the pod ended. */
const ended = {
  attempts: 1,
  preemptions: 0,
  gpuSeconds: 1000,
  startTime: started,
  pods: [
    {
      uid: 'uid-of-study-run-abcde',
      name: 'study-run-abcde',
      node: 'gpu-1',
      startTime: started,
      endTime: finished,
      gpuSeconds: 1000,
      outcome: 'Succeeded' as const,
    },
  ],
};
const known = { ...ended, rungs: [rung] };
const runTo = (
  untilEpoch: number | undefined,
  { spec = {}, status }: { spec?: Partial<Run['spec']>; status?: Partial<Run['status']> } = {},
) =>
  runWith(
    { training: { epochs: 240 } },
    { spec: { ...spec, ...(untilEpoch ? { untilEpoch } : {}) }, ...(status ? { status } : {}) },
  );
const jobTo = (untilEpoch: number | undefined, options: Parameters<typeof jobWith>[0] = {}) =>
  jobWith({ ...options, run: runTo(untilEpoch) });
const complete = [{ type: 'Complete', status: 'True' }];
const paused = terminated(0, { outcome: 'paused', ...rung });
const pods = (...options: PodOptions[]) => options.map(podWith);
const stop = { reason: 'Pruned', message: 'Others are better.' };

const came = 'Trained to epoch 30; best validation accuracy 71.23 %.';
const atRung: Expected = {
  phase: 'Paused',
  reason: 'AtRung',
  message: `${came} It holds no GPU, and is trained on if it is among the best.`,
  ...known,
};
const trainedOn = (to: string): Expected => ({
  phase: 'Queued',
  reason: 'Promoted',
  message: `${came} Another Job trains it to ${to} and goes on from the last checkpoint.`,
  ...known,
});
const stopped: Expected = {
  phase: 'Stopped',
  ...stop,
  ...known,
  completionTime: finished,
};
const unread = (why: string): Expected => ({
  phase: 'Queued',
  reason: 'ResultUnread',
  message: `The trainer ended well, but ${why}, so its result is not known here. Another pod reads it from checkpoints/last.safetensors of studies/lab/study/study-run on PersistentVolumeClaim experiments; what is done is not done twice.`,
  unread: 'True',
});

const table: Readonly<Record<string, readonly [seen: Row, expected: Expected]>> = {
  'is paused there, by the word of its pod': [{ run: runTo(30), job: jobTo(30), pods: pods(paused) }, atRung],
  'is paused there as its Job is complete': [
    { run: runTo(30), job: jobTo(30, { conditions: complete }), pods: pods(paused) },
    atRung,
  ],
  'stays there when its pod is gone': [
    { run: runTo(30, { status: known }), job: jobTo(30, { conditions: complete }) },
    atRung,
  ],
  'stays there when its Job is gone': [{ run: runTo(30, { status: known }) }, atRung],
  'stays there, suspended': [
    { run: runTo(30, { status: known, spec: { suspend: true } }), job: jobTo(30, { conditions: complete }) },
    atRung,
  ],
  'ends there when it is stopped': [
    {
      run: runTo(30, { status: known, spec: { stop } }),
      job: jobTo(30, { conditions: complete }),
      pods: pods(paused),
    },
    stopped,
  ],
  'ends there when it is stopped, with its Job gone': [
    { run: runTo(30, { status: known, spec: { stop } }) },
    stopped,
  ],
  'ends there when it is stopped before its pod has told': [
    { run: runTo(30, { spec: { stop } }), job: jobTo(30), pods: pods(paused) },
    stopped,
  ],
  'goes on from there when its epoch is raised': [
    { run: runTo(90, { status: known }), job: jobTo(30, { conditions: complete }), pods: pods(paused) },
    trainedOn('epoch 90'),
  ],
  'goes on from there when its epoch is removed': [
    { run: runTo(undefined, { status: known }), job: jobTo(30, { conditions: complete }) },
    trainedOn('its end'),
  ],
  'goes on from there to an epoch that is its last': [
    { run: runTo(240, { status: known }), job: jobTo(30, { conditions: complete }) },
    trainedOn('its end'),
  ],
  'goes on from there when its epoch was raised while it trained': [
    { run: runTo(90), job: jobTo(30), pods: pods(paused) },
    trainedOn('epoch 90'),
  ],
  'goes on from there while the Job before is on its way out': [
    {
      run: runTo(90, { status: known }),
      job: jobTo(30, { conditions: complete, metadata: { deletionTimestamp: finished } }),
      pods: pods(paused),
    },
    trainedOn('epoch 90'),
  ],
  'goes on from there with another Job, once there is none': [
    { run: runTo(90, { status: known }) },
    { ...known, phase: 'Queued', reason: 'JobPending', message: 'Its Job is about to be created.' },
  ],
  'has come to nothing more while that Job has no pod': [
    { run: runTo(90, { status: known }), job: jobTo(90), pods: [] },
    { ...known, phase: 'Queued', reason: 'PodPending', message: 'Its pod is about to be created.' },
  ],
  'trains on while its epoch is raised': [
    { run: runTo(90), job: jobTo(30), pods: pods(running()) },
    {
      phase: 'Running',
      reason: 'Training',
      message: 'Pod study-run-abcde trains on node gpu-1.',
      ...{ attempts: 1, gpuSeconds: 1200, startTime: started },
      pods: [
        {
          uid: 'uid-of-study-run-abcde',
          name: 'study-run-abcde',
          node: 'gpu-1',
          startTime: started,
          gpuSeconds: 1200,
        },
      ],
    },
  ],
  'begins anew when it goes on without a storage': [
    {
      run: runTo(90, { status: known }),
      experiment: noStorage,
      job: jobTo(30, { conditions: complete }),
    },
    {
      ...trainedOn(''),
      message: `${came} Another Job trains it to epoch 90 and begins anew: the Experiment has no spec.storage to keep checkpoints in.`,
    },
  ],
  'waits, when its epoch is raised and it may not train': [
    {
      run: runTo(90, { status: known, spec: { suspend: true } }),
      job: jobTo(30, { conditions: complete }),
      pods: pods(paused),
    },
    {
      ...known,
      phase: 'Waiting',
      reason: 'Paused',
      message: 'Paused; it goes on when it is its turn again.',
    },
  ],
  'is told so when it was to be trained on, and is stopped': [
    { run: runTo(90, { status: known, spec: { stop } }), job: jobTo(30, { conditions: complete }) },
    stopped,
  ],
  'has its word said again where it is lost': [
    { run: runTo(30), job: jobTo(30, { conditions: complete }), pods: pods(terminated(0)) },
    { ...ended, ...unread('its termination message is missing') },
  ],
  'has its word said again where its pod is gone': [
    { run: runTo(30), job: jobTo(30, { conditions: complete }) },
    unread('its pod is gone'),
  ],
  'has its second word said again where that is lost': [
    { run: runTo(90, { status: known }), job: jobTo(90, { conditions: complete }) },
    { ...known, ...unread('its pod is gone') },
  ],
  'says so although it was told to go on: nobody believes it': [
    { run: runTo(90), job: jobTo(90), pods: pods(paused) },
    { ...known, ...unread('it paused at epoch 30, which it was not told to') },
  ],
  'has said that it trained to its end: it has': [
    { run: runTo(30), job: jobTo(30), pods: pods(terminated(0, { outcome: 'succeeded', result })) },
    {
      ...ended,
      phase: 'Succeeded',
      reason: 'Trained',
      message: 'Trained for 240 epochs; test accuracy 75.61 % with the weights of epoch 187.',
      completionTime: finished,
      result,
    },
  ],
};

describe('a Run that comes to a rung', () => {
  it.each(Object.entries(table))('%s', (_name, [seen, expected]) => {
    const { status } = see(seen);
    expect(status).toEqual(statusOf(expected));
    expect(runStatus.safeParse(status)).toMatchObject({ success: true });
  });

  it.each(Object.entries(table))('%s: and that once', (_name, [seen]) => {
    const { status } = see(seen);
    const run = { ...(seen.run ?? runWith()), status: { ...status, history: [0.5, 0.71234] } };
    expect(see({ ...seen, run }).status).toEqual(status);
  });

  it('is known to have, whichever pods the cache shows', () => {
    const seen = { run: runTo(30), job: jobTo(30, { conditions: complete }), podsRead: false };
    expect(see(seen).needsPods).toBe(true);
    expect(see({ ...seen, pods: pods(running()) }).needsPods).toBe(true);
    expect(see({ ...seen, pods: pods(paused) }).needsPods).toBe(false);
    expect(see({ ...seen, run: runTo(30, { status: known }) }).needsPods).toBe(false);
    expect(see({ ...seen, run: runTo(90, { status: known }) }).needsPods).toBe(false);
  });

  it('has counted no failure and no preemption, and its GPU time', () => {
    const failed = {
      uid: 'before',
      name: 'before',
      gpuSeconds: 50,
      startTime: started,
      outcome: 'Failed' as const,
    };
    const run = runTo(30, { status: { attempts: 1, failures: 1, gpuSeconds: 50, pods: [failed] } });
    const { status } = see({ run, job: jobTo(30), pods: pods(paused) });
    expect(status).toMatchObject({ attempts: 2, failures: 1, preemptions: 0, gpuSeconds: 1050 });
  });

  it('says what was unread once a second pod has said it, and the next Job reads nothing again', () => {
    const first = see({ run: runTo(30), job: jobTo(30, { conditions: complete }) }).status;
    const { status } = see({ run: runTo(30, { status: first }), job: jobTo(30), pods: pods(paused) });
    const isUnread = (conditions: readonly { type: string; status: string }[]) =>
      conditions.find(({ type }) => type === 'ResultUnread')?.status;
    expect([first, status].map(({ conditions }) => isUnread(conditions))).toEqual(['True', 'False']);
    const next = see({ run: runTo(90, { status }), job: jobTo(30, { conditions: complete }) }).status;
    expect(isUnread(next.conditions)).toBe('False');
  });

  it('has its rungs in order, each once, and the last sixteen', () => {
    const rungs = (...epochs: number[]) => epochs.map((epoch) => ({ epoch, validationAccuracy: 0.5 }));
    const of = (before: number[], said: number[]) =>
      rungsOf(runTo(30, { status: { rungs: rungs(...before) } }), rungs(...said)).map(({ epoch }) => epoch);
    expect(of([10, 30], [10, 30])).toEqual([10, 30]);
    expect(of([10], [10, 30])).toEqual([10, 30]);
    expect(of([10, 30], [20])).toEqual([10, 30]);
    const many = Array.from({ length: 16 }, (_, index) => index + 1);
    expect(of(many, [16, 17])).toEqual([...many.slice(1), 17]);
  });

  it('keeps what it said there first', () => {
    const again = rungsOf(runTo(30, { status: { rungs: [rung] } }), [{ ...rung, validationAccuracy: 0.1 }]);
    expect(again).toEqual([rung]);
  });

  it('is there only below its last epoch', () => {
    expect(isAsFarAsAsked(runTo(30), rung)).toBe(true);
    expect(isAsFarAsAsked(runTo(31), rung)).toBe(false);
    expect(isAsFarAsAsked(runTo(30), undefined)).toBe(false);
    expect(isAsFarAsAsked(runTo(240), { ...rung, epoch: 240 })).toBe(false);
    expect(isAsFarAsAsked(runTo(undefined), rung)).toBe(false);
  });
});
