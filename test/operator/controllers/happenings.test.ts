import { describe, expect, it } from 'vitest';
import { experimentHappenings } from '../../../operator/controllers/experiment-happenings.ts';
import { runHappenings } from '../../../operator/controllers/run-happenings.ts';
import type { ExperimentStatus } from '../../../src/api/experiment.ts';
import type { Condition } from '../../../src/api/meta.ts';
import type { RunStatus } from '../../../src/api/run.ts';
import { experimentWith, runWith } from '../jobs/world.ts';

function condition(type: string, status: 'True' | 'False', reason: string): Condition {
  return { type, status, reason, message: `${reason}.`, lastTransitionTime: '2026-11-24T12:00:00Z' };
}

type Told = readonly { readonly type: string; readonly reason: string; readonly note: string }[];
const short = (told: Told) => told.map(({ type, reason, note }) => `${type} ${reason}: ${note}`);

describe('what is told of a Run', () => {
  const status = (changes: Partial<RunStatus>): RunStatus => ({
    phase: 'Running',
    conditions: [],
    ...changes,
  });
  const told = (before: Partial<RunStatus> | undefined, after: Partial<RunStatus>) =>
    short(runHappenings(runWith({}, before ? { status: status(before) } : {}), status(after)));
  const training = { reason: 'Training', message: 'It trains.', attempts: 1 } as const;
  const unpullable = condition('Progressing', 'False', 'ImagePullBackOff');

  it('is that a pod has started, once for each', () => {
    expect(told(undefined, training)).toEqual(['Normal Started: It trains.']);
    const explaining = { ...training, reason: 'Explaining', message: 'It explains.' };
    expect(told(undefined, explaining)).toEqual(['Normal Started: It explains.']);
    expect(told(training, { ...training, gpuSeconds: 60 })).toEqual([]);
    expect(told({ phase: 'Waiting', attempts: 1 }, { ...training, attempts: 2 })).toEqual([
      'Normal Started: It trains.',
    ]);
    expect(told(undefined, { reason: 'Pausing', attempts: 1 })).toEqual([]);
  });

  it('is its end, as a warning if it failed', () => {
    const end = { reason: 'Trained', message: 'For 10 epochs.' };
    expect(told(training, { phase: 'Succeeded', ...end })).toEqual(['Normal Trained: For 10 epochs.']);
    expect(told({ phase: 'Succeeded', ...end }, { phase: 'Succeeded', ...end })).toEqual([]);
    expect(told(training, { phase: 'Failed', reason: 'TrainingDiverged', message: 'NaN.' })).toEqual([
      'Warning TrainingDiverged: NaN.',
    ]);
  });

  it('is that it came to a rung, once for each', () => {
    const rungs = [{ epoch: 3, validationAccuracy: 0.5 }];
    const paused = { phase: 'Paused', reason: 'AtRung', message: 'To epoch 3.', rungs } as const;
    expect(told(training, { ...paused, rungs })).toEqual(['Normal AtRung: To epoch 3.']);
    expect(told({ ...paused, rungs }, { ...paused, rungs, message: 'Still.' })).toEqual([]);
    const next = { ...paused, message: 'To 9.', rungs: [...rungs, { epoch: 9, validationAccuracy: 0.6 }] };
    expect(told({ ...training, rungs }, next)).toEqual(['Normal AtRung: To 9.']);
  });

  it('is that it was preempted, each time', () => {
    const waiting = { phase: 'Queued', reason: 'Preempted', message: 'Others go first.' } as const;
    expect(told(training, { ...waiting, preemptions: 1 })).toEqual(['Normal Preempted: Others go first.']);
    expect(told({ ...waiting, preemptions: 1 }, { ...waiting, preemptions: 1 })).toEqual([]);
    expect(
      told(training, { phase: 'Queued', reason: 'PodPending', message: 'Soon.', preemptions: 1 }),
    ).toEqual(['Normal Preempted: Its pod was taken away. Soon.']);
  });

  it('is that an attempt failed, if another follows', () => {
    const conditions = [condition('LastAttemptFailed', 'True', 'OutOfMemory')];
    expect(told(training, { phase: 'Starting', conditions })).toEqual(['Warning OutOfMemory: OutOfMemory.']);
    expect(told({ conditions }, { phase: 'Starting', conditions })).toEqual([]);
    expect(told(training, { phase: 'Failed', reason: 'OutOfMemory', message: 'Last.', conditions })).toEqual([
      'Warning OutOfMemory: Last.',
    ]);
  });

  it('is what stands in its way, once', () => {
    const blocked = { phase: 'Starting', conditions: [unpullable] } as const;
    expect(told(undefined, { phase: 'Starting', conditions: [unpullable] })).toEqual([
      'Warning ImagePullBackOff: ImagePullBackOff.',
    ]);
    expect(
      told({ ...blocked, conditions: [unpullable] }, { phase: 'Starting', conditions: [unpullable] }),
    ).toEqual([]);
  });
});

describe('what is told of an Experiment', () => {
  const status = (phase: ExperimentStatus['phase'], ...conditions: Condition[]): ExperimentStatus => ({
    phase,
    conditions,
  });
  const told = (before: ExperimentStatus | undefined, after: ExperimentStatus, spec = {}) =>
    short(experimentHappenings({ ...experimentWith(spec), ...(before ? { status: before } : {}) }, after));

  it('is its teacher, its end, and nothing twice', () => {
    const ready = condition('TeacherReady', 'True', 'TeacherSucceeded');
    const complete = condition('Complete', 'True', 'AllRunsSucceeded');
    expect(told(status('Running'), status('Running', ready))).toEqual([
      'Normal TeacherSucceeded: TeacherSucceeded.',
    ]);
    expect(told(status('Running', ready), status('Complete', ready, complete))).toEqual([
      'Normal AllRunsSucceeded: AllRunsSucceeded.',
    ]);
    expect(told(status('Complete', ready, complete), status('Complete', ready, complete))).toEqual([]);
    expect(told(undefined, status('Failed', condition('Failed', 'True', 'NoRunSucceeded')))).toEqual([
      'Warning NoRunSucceeded: NoRunSucceeded.',
    ]);
  });

  it('is that it was suspended, and that it goes on', () => {
    const suspended = condition('Suspended', 'True', 'SuspendRequested');
    const going = condition('Suspended', 'False', 'NotRequested');
    const stopped = condition('Progressing', 'False', 'Suspended');
    expect(
      told(status('Running', going), status('Suspended', suspended, stopped), { suspend: true }),
    ).toEqual(['Normal SuspendRequested: SuspendRequested.']);
    expect(told(status('Suspended', suspended), status('Running', going))).toEqual([
      'Normal Resumed: spec.suspend is false: Runs go on.',
    ]);
  });

  it('is what stands in its way, once', () => {
    const missing = condition('PrerequisitesMet', 'False', 'KueueNotInstalled');
    const blocked = condition('Progressing', 'False', 'KueueNotInstalled');
    expect(told(undefined, status('Pending', missing, blocked))).toEqual([
      'Warning KueueNotInstalled: KueueNotInstalled.',
    ]);
    expect(
      told(undefined, status('Pending', condition('Progressing', 'False', 'VolumeClaimMissing'))),
    ).toEqual(['Warning VolumeClaimMissing: VolumeClaimMissing.']);
  });
});
