import type { Run, RunStatus } from '@destillml/core/api/run.ts';
import { timestamp } from '@destillml/core/plan/conditions.ts';
import { isAtRung, isFinal, phaseOf } from '@destillml/core/plan/phases.ts';
import { rungsOf } from '@destillml/core/plan/rungs.ts';
import { type EpochAccuracy, withEpochs } from '@destillml/core/protocol/history.ts';
import { exitCodes, finalExitCodes, type Report, type Termination } from '@destillml/core/protocol/report.ts';
import { signalText } from '@destillml/core/protocol/signals.ts';

/** How a trainer's process ended. */
export type Exit = {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Its last word, if it got to say one. */
  readonly termination: Termination | undefined;
};

export type AfterExit = {
  readonly status: RunStatus;
  /** Set if the Run is to be started again, so many seconds from now. */
  readonly retryAfterSeconds?: number;
  /** Whether this counts against the Run's retries. */
  readonly isFailure: boolean;
};

/** Seconds before the first retry; twice as many before every further one, up to the longest. */
const firstBackOff = 1;
const longestBackOff = 60;

/** The status of a Run whose trainer has just been started. */
export function started(run: Run, now: Date): RunStatus {
  const { reason: _reason, message: _message, ...status } = statusOf(run);
  return {
    ...status,
    phase: 'Starting',
    attempts: (status.attempts ?? 0) + 1,
    startTime: status.startTime ?? timestamp(now),
  };
}

/** The status after a report. `accuracies` are those of all its epochs. */
export function reported(run: Run, report: Report, accuracies: readonly EpochAccuracy[]): RunStatus {
  const status = statusOf(run);
  switch (report.kind) {
    case 'note':
      return status;
    case 'progress':
      return { ...status, phase: 'Running', progress: report.progress };
    case 'epoch':
      return {
        ...status,
        phase: 'Running',
        progress: report.progress,
        history: [...withEpochs([], report.progress.epochs, accuracies)],
      };
  }
}

export type ExitContext = {
  /** Failed attempts before this one. */
  readonly failures: number;
  readonly retries: number;
  /** Whether this command had told the trainer to stop: for a pause, or because it is itself being stopped. */
  readonly asked: boolean;
  /** The time the Run was allowed, in seconds, if it was stopped for taking longer. */
  readonly overdue: number | undefined;
  readonly now: Date;
};

/** What becomes of a Run whose trainer has ended. */
export function afterExit(run: Run, exit: Exit, context: ExitContext): AfterExit {
  const { termination } = exit;
  const { now } = context;
  const status = statusOf(run);
  if (termination?.outcome === 'paused') return { status: paused(run, termination), isFailure: false };
  const yielded = yieldOf(termination);
  if (yielded !== undefined) {
    const { reason: _reason, message: _message, ...rest } = status;
    const done = { ...rest, phase: 'Succeeded', ...yielded } as const;
    return { status: { ...done, completionTime: timestamp(now) }, isFailure: false };
  }
  if (run.spec.stop) return { status: stopped(run, now), isFailure: false };
  if (context.overdue !== undefined) {
    const message = `The Run took longer than spec.activeDeadlineSeconds, ${context.overdue} s.`;
    const end = { reason: 'DeadlineExceeded', message, completionTime: timestamp(now) };
    return { status: { ...status, phase: 'Failed', ...end }, isFailure: true };
  }
  if (context.asked) return { status: waiting(run), isFailure: false };
  if (exit.code === exitCodes.preempted) {
    const preemptions = (status.preemptions ?? 0) + 1;
    const message = 'The trainer was told to stop, not by this command; it is started again.';
    return {
      status: { ...status, phase: 'Starting', reason: 'Preempted', message, preemptions },
      retryAfterSeconds: firstBackOff,
      isFailure: false,
    };
  }

  const { reason, message } = failure(exit);
  const attempts = context.failures + 1;
  const canRetry = !finalExitCodes.includes(exit.code ?? -1) && attempts <= context.retries;
  if (!canRetry) {
    const often = attempts > 1 ? `${message} (${attempts} failed attempts)` : message;
    return {
      status: { ...status, phase: 'Failed', reason, message: often, completionTime: timestamp(now) },
      isFailure: true,
    };
  }
  const retryAfterSeconds = Math.min(longestBackOff, firstBackOff * 2 ** context.failures);
  return {
    status: {
      ...status,
      phase: 'Starting',
      reason: 'Retrying',
      message: `${reason}: ${message} Retry ${attempts} of ${context.retries} in ${retryAfterSeconds} s.`,
    },
    retryAfterSeconds,
    isFailure: true,
  };
}

/** What came of a Run that is done. */
function yieldOf(last: Termination | undefined): Pick<RunStatus, 'result' | 'explanation'> | undefined {
  switch (last?.outcome) {
    case 'succeeded':
      return { result: last.result };
    case 'explained':
      return { explanation: last.explanation };
    default:
      return undefined;
  }
}

/** What there is to do for one Run, given the plan's wishes (`spec.stop`, `spec.suspend`) and its process. */
export type Step =
  | { readonly kind: 'none' | 'launch' | 'terminate' }
  | { readonly kind: 'settle'; readonly status: RunStatus };

/** `isInterrupted`: this command is being stopped. `isRetrying`: the Run waits for its next attempt. */
export function nextStep(
  run: Run,
  process: { readonly isRunning: boolean; readonly isRetrying: boolean; readonly isInterrupted: boolean },
  now: Date,
): Step {
  const { isRunning, isRetrying, isInterrupted } = process;
  const phase = phaseOf(run);
  const mayRun = !isFinal(phase) && run.spec.stop === undefined && !run.spec.suspend && !isInterrupted;
  if (isRunning) return { kind: mayRun ? 'none' : 'terminate' };
  if (isFinal(phase)) return { kind: 'none' };
  if (run.spec.stop) return { kind: 'settle', status: stopped(run, now) };
  if (run.spec.suspend)
    return phase === 'Waiting' || phase === 'Paused'
      ? { kind: 'none' }
      : { kind: 'settle', status: waiting(run) };
  if (isInterrupted || isRetrying || isAtRung(run)) return { kind: 'none' };
  return { kind: 'launch' };
}

function statusOf(run: Run): RunStatus {
  return run.status ?? { phase: 'Waiting', conditions: [] };
}

/** A Run that is no longer wanted: one that never trained is skipped. */
function stopped(run: Run, now: Date): RunStatus {
  const status = statusOf(run);
  return {
    ...status,
    phase: status.startTime === undefined ? 'Skipped' : 'Stopped',
    ...run.spec.stop,
    completionTime: timestamp(now),
  };
}

/** A Run that has come to its rung. */
function paused(
  run: Run,
  { epoch, validationAccuracy }: Extract<Termination, { outcome: 'paused' }>,
): RunStatus {
  const { reason: _reason, message: _message, ...status } = statusOf(run);
  return { ...status, phase: 'Paused', rungs: [...rungsOf(run, [{ epoch, validationAccuracy }])] };
}

function waiting(run: Run): RunStatus {
  const { reason: _reason, message: _message, ...status } = statusOf(run);
  return { ...status, phase: 'Waiting' };
}

function failure({ code, signal, termination }: Exit): { reason: string; message: string } {
  if (termination?.outcome === 'failed') return { reason: termination.code, message: termination.message };
  if (signal === 'SIGKILL') {
    return { reason: 'Killed', message: 'The trainer was killed, most often for lack of memory.' };
  }
  if (code === exitCodes.storage) {
    const message =
      'A volume is full or read-only, so that not even the last word could be written; see its log.';
    return { reason: 'StorageFull', message };
  }
  const how = signal === null ? `exit code ${code}` : `${signalText(signal)},`;
  return { reason: 'TrainerDied', message: `The trainer ended with ${how} and without a word; see its log.` };
}
