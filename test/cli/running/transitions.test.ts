import { describe, expect, test } from 'vitest';
import {
  afterExit,
  type Exit,
  type ExitContext,
  nextStep,
  reported,
  type Step,
  started,
} from '../../../cli/running/transitions.ts';
import type { Run, RunStatus } from '../../../src/api/run.ts';
import { exitCodes } from '../../../src/protocol/report.ts';
import { now, nowText, progress, result, runOf } from '../made-runs.ts';

const stop = { reason: 'NoLongerWanted', message: 'Not asked for.' };

describe('the next step for a Run', () => {
  const rest = { isRunning: false, isRetrying: false, isInterrupted: false };
  const table: readonly [string, Run, Partial<typeof rest>, Step][] = [
    ['allowed to run, without a process: launch', runOf(), {}, { kind: 'launch' }],
    [
      'Running by its file, but its process is gone: launch',
      runOf({ phase: 'Running' }),
      {},
      { kind: 'launch' },
    ],
    ['running as it should: nothing', runOf({ phase: 'Running' }), { isRunning: true }, { kind: 'none' }],
    ['between two attempts: nothing', runOf({ phase: 'Starting' }), { isRetrying: true }, { kind: 'none' }],
    ['not allowed yet: nothing', runOf({}, { suspend: true }), {}, { kind: 'none' }],
    [
      'paused while running: terminate',
      runOf({}, { suspend: true }),
      { isRunning: true },
      { kind: 'terminate' },
    ],
    [
      'paused after its process is gone: wait',
      runOf({ phase: 'Running', reason: 'Retrying' }, { suspend: true }),
      {},
      { kind: 'settle', status: { phase: 'Waiting', conditions: [] } },
    ],
    [
      'no longer wanted while running: terminate',
      runOf({}, { stop }),
      { isRunning: true },
      { kind: 'terminate' },
    ],
    [
      'no longer wanted before it started: Skipped',
      runOf({}, { stop, suspend: true }),
      {},
      { kind: 'settle', status: { phase: 'Skipped', conditions: [], ...stop, completionTime: nowText } },
    ],
    [
      'no longer wanted after it had trained: Stopped',
      runOf({ startTime: nowText }, { stop }),
      {},
      {
        kind: 'settle',
        status: { phase: 'Stopped', conditions: [], startTime: nowText, ...stop, completionTime: nowText },
      },
    ],
    [
      'the command is being stopped: terminate',
      runOf(),
      { isRunning: true, isInterrupted: true },
      { kind: 'terminate' },
    ],
    ['the command is being stopped: launch nothing', runOf(), { isInterrupted: true }, { kind: 'none' }],
    ['ended: nothing', runOf({ phase: 'Failed' }), {}, { kind: 'none' }],
  ];
  test.each(table)('%s', (_name, run, process, expected) => {
    expect(nextStep(run, { ...rest, ...process }, now)).toEqual(expected);
  });
});

describe('after a trainer has ended', () => {
  const context: ExitContext = { failures: 0, retries: 3, asked: false, overdue: undefined, now };
  const running: RunStatus = { phase: 'Running', conditions: [], attempts: 1, startTime: nowText };
  const exit = (
    code: number | null,
    termination?: Exit['termination'],
    signal: string | null = null,
  ): Exit => ({
    code,
    signal,
    termination,
  });
  const failed = (code: string) => ({ outcome: 'failed', code, message: 'What happened.' }) as const;
  const endingOf = (exited: Exit, given: Partial<ExitContext> = {}, spec: Partial<Run['spec']> = {}) =>
    afterExit(runOf(running, spec), exited, { ...context, ...given });

  test('a result makes it Succeeded, even if it was told to stop meanwhile', () => {
    const expected: RunStatus = { ...running, phase: 'Succeeded', result, completionTime: nowText };
    expect(endingOf(exit(0, { outcome: 'succeeded', result }))).toEqual({
      status: expected,
      isFailure: false,
    });
    expect(endingOf(exit(0, { outcome: 'succeeded', result }), { asked: true }, { stop }).status).toEqual(
      expected,
    );
  });

  test('told to stop with this command, it waits for the next', () => {
    const preempted = { outcome: 'preempted', epoch: 1, step: 3 } as const;
    const expected = { status: { ...running, phase: 'Waiting' }, isFailure: false };
    expect(endingOf(exit(exitCodes.preempted, preempted), { asked: true })).toEqual(expected);
    // Killed by Ctrl-C before it could listen.
    expect(endingOf(exit(null, undefined, 'SIGINT'), { asked: true })).toEqual(expected);
  });

  test('no longer wanted, it is Stopped', () => {
    const ended = endingOf(exit(exitCodes.preempted), { asked: true }, { stop });
    expect(ended.status).toMatchObject({ phase: 'Stopped', ...stop, completionTime: nowText });
  });

  test('told to stop by someone else, it starts again and no retry is used up', () => {
    const ended = endingOf(exit(exitCodes.preempted), { failures: 3 });
    expect(ended).toMatchObject({ isFailure: false, retryAfterSeconds: 1 });
    expect(ended.status).toMatchObject({ phase: 'Starting', reason: 'Preempted', preemptions: 1 });
  });

  test.each([
    [exitCodes.dataset, 'DatasetCorrupt'],
    [exitCodes.diverged, 'TrainingDiverged'],
    [exitCodes.invalid, 'InvalidSpec'],
  ])('exit code %i is final at once', (code, reason) => {
    expect(endingOf(exit(code, failed(reason)))).toEqual({
      status: { ...running, phase: 'Failed', reason, message: 'What happened.', completionTime: nowText },
      isFailure: true,
    });
  });

  test.each([
    [0, 1],
    [1, 2],
    [2, 4],
    [20, 60],
  ])('after %i failures the next attempt comes %i s later', (failures, seconds) => {
    const ended = endingOf(exit(exitCodes.failed, failed('DatasetUnavailable')), { failures, retries: 100 });
    expect(ended).toMatchObject({ isFailure: true, retryAfterSeconds: seconds });
    expect(ended.status).toMatchObject({
      phase: 'Starting',
      reason: 'Retrying',
      message: `DatasetUnavailable: What happened. Retry ${failures + 1} of 100 in ${seconds} s.`,
    });
  });

  test('with no retry left it is Failed with the last reason', () => {
    const ended = endingOf(exit(exitCodes.failed, failed('DatasetUnavailable')), { failures: 3 });
    expect(ended.retryAfterSeconds).toBeUndefined();
    expect(ended.status).toMatchObject({
      phase: 'Failed',
      reason: 'DatasetUnavailable',
      message: 'What happened. (4 failed attempts)',
    });
  });

  test.each([
    [exit(null, undefined, 'SIGKILL'), 'Killed', 'The trainer was killed, most often for lack of memory.'],
    [
      exit(exitCodes.storage),
      'StorageFull',
      'A volume is full or read-only, so that not even the last word could be written; see its log.',
    ],
    [exit(134), 'TrainerDied', 'The trainer ended with exit code 134 and without a word; see its log.'],
    [exit(0), 'TrainerDied', 'The trainer ended with exit code 0 and without a word; see its log.'],
    [
      exit(null, undefined, 'SIGSEGV'),
      'TrainerDied',
      'The trainer ended with SIGSEGV: a library did what it may not, as one that does not fit this system, and without a word; see its log.',
    ],
  ])('without a last word the way it ended is the reason (%#)', (exited, reason, message) => {
    expect(endingOf(exited, { retries: 0 }).status).toMatchObject({ phase: 'Failed', reason, message });
  });

  test('past its deadline it is Failed', () => {
    expect(endingOf(exit(exitCodes.preempted), { overdue: 60 }).status).toMatchObject({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'The Run took longer than spec.activeDeadlineSeconds, 60 s.',
    });
  });
});

test('a start counts the attempt and keeps the time of the first', () => {
  const before = {
    phase: 'Starting',
    reason: 'Retrying',
    message: '…',
    attempts: 2,
    startTime: '2026-01-01T00:00:00Z',
  } as const;
  expect(started(runOf(before), now)).toEqual({
    phase: 'Starting',
    conditions: [],
    attempts: 3,
    startTime: '2026-01-01T00:00:00Z',
  });
  expect(started(runOf(), now)).toMatchObject({ attempts: 1, startTime: nowText });
});

test('reports bring progress, and epochs the history', () => {
  expect(reported(runOf({ phase: 'Starting' }), { kind: 'progress', progress }, [])).toMatchObject({
    phase: 'Running',
    progress,
  });
  const record = {
    epoch: 1,
    loss: 1,
    crossEntropy: 1,
    trainAccuracy: 0.5,
    validationLoss: 1,
    validationAccuracy: 0.5,
    learningRate: 0.1,
    imagesPerSecond: 100,
    seconds: 1,
  };
  const epoch = { kind: 'epoch', record, progress } as const;
  const accuracies = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ epoch: index + 1, validationAccuracy: index / count }));
  expect(reported(runOf(), epoch, accuracies(2))).toMatchObject({ phase: 'Running', history: [0, 0.5] });
  // As the operator thins it out: every fifth epoch, whatever was reported when.
  const long = { ...epoch, progress: { ...progress, epochs: 600 } };
  const { history } = reported(runOf(), long, accuracies(600));
  expect(history).toHaveLength(120);
  expect(history?.slice(0, 2)).toEqual([4 / 600, 9 / 600]);
});
