import { isDeepStrictEqual } from 'node:util';
import type { RunStatus } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { isFinal, phaseOf } from '@destillml/core/plan/phases.ts';
import { countingSeconds } from '../jobs/accounts.ts';
import type { JobConfig } from '../jobs/config.ts';
import type { Finding } from '../jobs/finding.ts';
import { isOutdated, jobFor } from '../jobs/job.ts';
import { isJobEnding } from '../jobs/job-end.ts';
import type { ClusterEvent, Job, Pod, Workload } from '../jobs/objects.ts';
import { occupies } from '../jobs/own-pods.ts';
import { observe } from '../jobs/phase.ts';
import { hasStarted } from '../jobs/pod.ts';
import { refusedStatus } from '../jobs/refused-status.ts';
import { isOutOfRetries } from '../jobs/retries.ts';
import type { ReportedStatus } from '../jobs/run-status.ts';
import { promoted } from '../jobs/rungs.ts';
import { isBeforeTeacher, type QueuedTeacher, untilTurn } from '../jobs/turn.ts';
import { isToRead, resultUnread } from '../jobs/unread-result.ts';
import type { Experiment, Run } from './kinds.ts';

/** What is seen of a Run and what belongs to it. */
export type RunScene = {
  readonly run: Run;
  /** The Experiment that owns it; undefined where that is gone. */
  readonly experiment: Experiment | undefined;
  /** The Experiment that trained its teacher, where that is another. */
  readonly teacherOwner: Experiment | undefined;
  /** The Job of the Run's name, whoever owns it. */
  readonly job: Job | undefined;
  /** All pods labelled with the Run's name. */
  readonly pods: readonly Pod[];
  /** They were just read from the API server, and are not what the cache has. */
  readonly podsRead: boolean;
  readonly workload: Workload | undefined;
  /** The own teacher of an Experiment with a queue, while another of its Runs might come before it. */
  readonly teacher: QueuedTeacher | undefined;
  /** Since the status was last written, in milliseconds; for ever, if this process has not. */
  readonly unwrittenFor: number;
  /** About the Job and its pods; undefined while nobody has asked for them. */
  readonly events: readonly ClusterEvent[] | undefined;
  /** What the API server will not have written for it. */
  readonly refused?: { readonly reason: string; readonly message: string };
  readonly now: Date;
};

export type RunDecision = {
  /** To create, after the status is written. */
  readonly create?: Job;
  /** Whether the Job is to be deleted, and its pods with it: they write a checkpoint first. */
  readonly deleteJob: boolean;
  /** To write; undefined: what is written is right, or soon is without a write. */
  readonly status: ReportedStatus | undefined;
  /** What is to be done hangs on pods that the cache may not show yet: decide again with them read. */
  readonly needsPods: boolean;
  /** Only Events tell why it does not start: decide again with them. */
  readonly needsEvents: boolean;
  /** When to look again although nothing changed, in milliseconds. */
  readonly requeueAfter?: number;
};

/**
 * How long a new Job may be on its way before its phases are written, in milliseconds: most are past the first ones by
 * then, and each would be one more write to the API server.
 */
const settling = 3_000;
/** How often a status is written in which only words are new, in milliseconds: Kueue says many of one that waits. */
const wordsPause = 60_000;
/** How often it is looked whether a Run may enter its queue, in milliseconds. */
const turnPause = 1_000;
/** After which Events are asked why a Run does not start, and how often; milliseconds. */
const patience = 5_000;
const eventsPause = 15_000;

/** What a Run needs next. The same scene gives the same decision; carried out, it leaves nothing to do. */
export function decideRun(scene: RunScene, config: JobConfig): RunDecision {
  const { run, job } = scene;
  const nothing = { deleteJob: false, status: undefined, needsPods: false, needsEvents: false };
  if (isGoing(scene)) return nothing;

  if (scene.refused !== undefined) return { ...nothing, status: refusedBy(scene, scene.refused) };
  const made = mayTrain(scene) ? make(scene, config) : undefined;
  const turn = untilTurn(scene.teacher);
  const obstacle = obstacleTo(made, turn, scene);
  const { status, occupied, needsPods } = observe({ ...scene, events: scene.events ?? [], obstacle });
  if (needsPods) return { ...nothing, needsPods };
  const ended = isFinal(status.phase) || status.phase === 'Paused';
  if (made !== undefined && !(made instanceof DestillError) && !occupied && !ended) {
    if (turn !== 0) return { ...nothing, ...keepingOut(scene, status, turn) };
    if (!scene.podsRead && mayHaveHadJob(run)) return { ...nothing, needsPods: true };
    // With the failures that are known by now.
    const create = make({ ...scene, run: { ...run, status } }, config);
    if (!(create instanceof DestillError)) {
      return { ...nothing, create, status: isAccounted(status, run) ? undefined : status };
    }
  }

  const deleteJob = job !== undefined && isUnwanted(job, scene, status);
  if (isWritten(status, run)) {
    return { ...nothing, deleteJob, ...askingEvents(scene, status), ...again(scene, status) };
  }
  const wait = waitToWrite(scene, status);
  if (wait > 0 && !deleteJob) return { ...nothing, requeueAfter: wait };
  return { ...nothing, deleteJob, status, ...askingEvents(scene, status), ...again(scene, status) };
}

/** Of a Run whose status was never written no Job was there before, nor of another one of its name. */
function mayHaveHadJob({ status }: Run): boolean {
  return status?.observedGeneration !== undefined;
}

/** What to write of a Run of which something is refused; undefined: it is written. */
function refusedBy(scene: RunScene, refused: NonNullable<RunScene['refused']>): RunDecision['status'] {
  const { run, events = [], now } = scene;
  const { status: observed, needsPods } = observe({ ...scene, events });
  // It may not be true: the next try reads the pods first.
  if (needsPods) return undefined;
  const status = refusedStatus(run, observed, refused, now);
  return run.status !== undefined && saysTheSame(status, run.status) ? undefined : status;
}

/** Whether the Run is being deleted, or is about to be because its Experiment is. */
function isGoing({ run, experiment }: RunScene): boolean {
  const { deletionTimestamp, ownerReferences = [] } = run.metadata;
  if (deletionTimestamp !== undefined) return true;
  return experiment === undefined
    ? ownerReferences.some(({ kind }) => kind === 'Experiment')
    : experiment.metadata.deletionTimestamp !== undefined;
}

/** Whether the Run should have a Job and there is none. */
function mayTrain({ run, job }: RunScene): boolean {
  return job === undefined && !run.spec.suspend && run.spec.stop === undefined && !isFinal(phaseOf(run));
}

/** Why no Job is made, if so. */
function obstacleTo(
  made: Job | DestillError | undefined,
  turn: number | undefined,
  { experiment }: RunScene,
): Omit<Finding, 'phase'> | undefined {
  if (made instanceof DestillError) return { reason: made.code, message: made.message, blocked: true };
  return turn === 0
    ? undefined
    : { reason: 'AfterTeacher', message: `The teacher enters queue ${experiment?.spec.queue} first.` };
}

/** A Run that lets its teacher go first says so where that takes longer than the blink it should. */
function keepingOut(
  scene: RunScene,
  status: ReportedStatus,
  turn: number | undefined,
): Pick<RunDecision, 'status' | 'requeueAfter'> {
  const { run, teacher, now } = scene;
  const lasts = teacher?.job !== undefined && age(teacher.job, now) > settling && turn === undefined;
  return {
    status: lasts && !isWritten(status, run) ? status : undefined,
    requeueAfter: turn ?? turnPause,
  };
}

/** How long the status may stay unwritten, in milliseconds. */
function waitToWrite({ run, job, now, unwrittenFor }: RunScene, status: ReportedStatus): number {
  // A pod may be gone the next moment, and nobody know any more how it ended.
  if (outcomes(status) !== outcomes(run.status)) return 0;
  if (differsInWords(status, run)) return wordsPause - unwrittenFor;
  return passing(status) ? settling - age(job, now) : 0;
}

function outcomes(status: Pick<ReportedStatus, 'pods'> | undefined): number {
  return status?.pods?.filter(({ outcome }) => outcome !== undefined).length ?? 0;
}

/** Whether a Run that waits has nothing new to tell but other words for it. */
function differsInWords(status: ReportedStatus, { status: written }: Run): boolean {
  if (status.phase !== 'Queued' || written === undefined) return false;
  const { progress: _progress, history: _history, ...known } = written;
  return isDeepStrictEqual(withoutWords(status), withoutWords(known));
}

function withoutWords(status: ReportedStatus): object {
  const conditions = status.conditions.map(({ message: _message, ...condition }) => condition);
  return { ...status, message: undefined, conditions };
}

function make({ run, experiment, teacherOwner }: RunScene, config: JobConfig): Job | DestillError {
  if (experiment === undefined) {
    const { metadata, spec } = run;
    return new DestillError(
      'InvalidSpec',
      `Experiment ${spec.experiment}, which Run ${metadata.name} is of, does not exist. Create it again, or delete the Run.`,
    );
  }
  try {
    return jobFor(run, experiment, config, teacherOwner);
  } catch (error) {
    if (error instanceof DestillError) return error;
    throw error;
  }
}

/**
 * Whether the Job goes on although its Run is paused, stopped, or was given up by Kueue; or waits with nothing to lose
 * while its Experiment asks for something else by now, or before the teacher in a queue. What an administrator of Kueue
 * holds stays held.
 */
function isUnwanted(job: Job, scene: RunScene, status: ReportedStatus): boolean {
  const { run, experiment, pods, workload, teacher } = scene;
  const { ownerReferences = [], deletionTimestamp } = job.metadata;
  const own = ownerReferences.some(({ uid }) => uid === run.metadata.uid);
  if (!own || deletionTimestamp !== undefined) return false;
  // Once that is written: the next Job is for reading the result.
  if (status.reason === resultUnread && isToRead(run)) return !isBlocked(status);
  // It has come to its rung, and the next one goes on from there.
  if (status.reason === promoted) return true;
  const working = pods.filter((pod) => occupies(pod, run));
  // One that gave up too early: see retries.ts.
  if (isOutOfRetries(job)) return !isFinal(status.phase) && working.length === 0;
  if (isJobEnding(job)) return false;
  const told = run.spec.suspend || run.spec.stop !== undefined;
  const trains = working.some(hasStarted);
  switch (status.phase) {
    case 'Succeeded':
    case 'Paused':
      // The Job controller is about to see it.
      return false;
    case 'Failed':
      return job.spec?.suspend === true;
    case 'Queued':
    case 'Starting':
      return (
        told ||
        (status.reason !== 'Held' &&
          !trains &&
          ((experiment !== undefined && isOutdated(job, experiment)) ||
            isBeforeTeacher(job, workload, teacher)))
      );
    default:
      return told;
  }
}

/** Whether it says how the last pod ended: once there is another Job, it can no longer be seen that its own was gone. */
function isAccounted({ pods = [] }: ReportedStatus, run: Run): boolean {
  return isDeepStrictEqual(pods, run.status?.pods ?? []);
}

function isWritten(status: ReportedStatus, run: Run): boolean {
  // The API server itself shows a Run as Waiting that was only created, and thousands may be.
  const untouched = run.status?.observedGeneration === undefined && (run.metadata.generation ?? 1) === 1;
  if (untouched && status.phase === 'Waiting') return true;
  return run.status !== undefined && saysTheSame(status, run.status);
}

/** Apart from what its trainer reports. */
function saysTheSame(
  status: ReportedStatus,
  { progress: _progress, history: _history, ...written }: RunStatus,
) {
  return isDeepStrictEqual(status, written);
}

/** On its way, with nothing in it; or suspended, which Kueue may be about to say more of. */
function passing({ phase, reason, conditions }: ReportedStatus): boolean {
  if (reason === resultUnread) return false;
  const progressing = conditions.find(({ type }) => type === 'Progressing');
  return (!isFinal(phase) && progressing?.status === 'True') || reason === 'JobSuspended';
}

function isBlocked({ conditions }: ReportedStatus): boolean {
  return conditions.find(({ type }) => type === 'Progressing')?.status === 'False';
}

/** In milliseconds; for ever where there is no Job. Never negative: clocks differ by a second, or more. */
function age(job: Job | undefined, now: Date): number {
  const created = Date.parse(job?.metadata.creationTimestamp ?? '');
  return Number.isNaN(created) ? Number.POSITIVE_INFINITY : Math.max(0, now.getTime() - created);
}

function askingEvents(
  { job, events, now }: RunScene,
  { reason = '' }: ReportedStatus,
): Pick<RunDecision, 'needsEvents'> {
  return { needsEvents: events === undefined && isUnexplained(reason) && age(job, now) >= patience };
}

function again(
  { job, now }: RunScene,
  { phase, reason = '' }: ReportedStatus,
): Pick<RunDecision, 'requeueAfter'> {
  if (phase === 'Running') return { requeueAfter: countingSeconds * 1000 };
  if (isUnexplained(reason) && age(job, now) < patience) return { requeueAfter: patience - age(job, now) };
  return isUnexplained(reason) || unwatched.has(reason) ? { requeueAfter: eventsPause } : {};
}

function isUnexplained(reason: string): boolean {
  return reason === 'PodPending' || reason === 'ContainerCreating';
}

/** Nothing that is watched changes when these are over. */
const unwatched: ReadonlySet<string> = new Set(['QuotaExceeded', 'PodRefused', 'FailedMount', 'JobOutdated']);
