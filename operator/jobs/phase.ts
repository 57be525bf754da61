import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { Run, RunPod } from '@destillml/core/api/run.ts';
import { isFinal, phaseOf } from '@destillml/core/plan/phases.ts';
import { type Rung, rungsOf } from '@destillml/core/plan/rungs.ts';
import { type Accounts, accounts, byAge } from './accounts.ts';
import type { Finding } from './finding.ts';
import { isJobEnding, isPastDeadline, jobFailure } from './job-end.ts';
import { leaving, livePod } from './live-pod.ts';
import {
  type ClusterEvent,
  conditionTrue,
  type Job,
  type ObjectCondition,
  type Pod,
  type Workload,
} from './objects.ts';
import { occupies, podsOfRun } from './own-pods.ts';
import { isEnded } from './pod.ts';
import { type PodEnd, podEnd } from './pod-end.ts';
import { queued } from './queue.ts';
import { withoutPod } from './refused.ts';
import { farewell, goingOn, type Resumption, resumption } from './resumption.ts';
import { gaveUpEarly, isOutOfRetries } from './retries.ts';
import { type ReportedStatus, statusOf } from './run-status.ts';
import { atRung, isAsFarAsAsked, isTrainedTo, trainedOn } from './rungs.ts';
import { sentence } from './sentence.ts';
import { unreadResult } from './unread-result.ts';

export type ObservedRun = {
  /** With the status written last. */
  readonly run: Run;
  /** That it is of; undefined where it is gone. */
  readonly experiment?: Pick<Experiment, 'spec'> | undefined;
  /** The Job of the Run's name. */
  readonly job?: Job | undefined;
  /** All pods labelled with the Run's name, those of a deleted Run of that name too. */
  readonly pods: readonly Pod[];
  /**
   * The pods were read from the API server after all else. Otherwise they are what their watch has told so far, which may
   * be less than what the watches of Jobs and Runs have.
   */
  readonly podsRead?: boolean;
  /** Kueue's Workload of the Job. */
  readonly workload?: Workload | undefined;
  /** About the Job and its pods. Needed only where nothing else says why a Run does not start. */
  readonly events?: readonly ClusterEvent[];
  /** Why no Job is made for it, if so. */
  readonly obstacle?: Omit<Finding, 'phase'> | undefined;
  readonly now: Date;
};

export type Observation = {
  /** Equal to what was written, if nothing has changed. */
  readonly status: ReportedStatus;
  /** A pod exists that may write to the Run's folder. No other Job may be created before it has ended. */
  readonly occupied: boolean;
  /** The status would be for good, and hangs on pods that the cache may not show yet: observe again with them read. */
  readonly needsPods: boolean;
};

/**
 * What has become of a Run, from what can be seen of it and what was known before.
 *
 * The same world gives the same observation; writing it and observing again changes nothing. A phase that a Run never
 * leaves is kept whatever is seen later: it is one only once the word of its last pod was read.
 */
export function observe(observed: ObservedRun): Observation {
  const { run, pods, podsRead = false, now } = observed;
  const occupied = pods.some((pod) => occupies(pod, run));
  if (run.status && isFinal(phaseOf(run))) {
    const { progress: _progress, history: _history, ...status } = run.status;
    return { status, occupied, needsPods: false };
  }
  const scene = sceneOf(observed);
  const usage = accounts(run.status, scene.pods, { told: scene.told, podsRead, now });
  const ends = scene.pods.flatMap((pod) => podEnd(pod, scene.told) ?? []);
  const last = ends.at(-1);
  const rungs = rungsOf(
    run,
    ends.flatMap(({ rung }) => rung ?? []),
  );
  const result = last?.result ?? run.status?.result;
  const explanation = last?.explanation ?? run.status?.explanation;
  const outcome = { ...(result ? { result } : {}), ...(explanation ? { explanation } : {}) };
  const reached = rungs.length > 0 ? { rungs: [...rungs] } : {};
  const finding = find(scene, last, rungs.at(-1), usage);
  return {
    status: statusOf(run, finding, last, { ...usage, ...reached, ...outcome }, now),
    occupied,
    needsPods: !podsRead && hangsOnPods(scene, finding, last, rungs.at(-1)),
  };
}

/** Whether pods that the cache does not show, or shows as they were, may change what is found for good. */
function hangsOnPods(
  { run, job, own, pods }: Scene,
  { phase }: Finding,
  last: PodEnd | undefined,
  rung: Rung | undefined,
): boolean {
  const there = new Set(pods.map(({ metadata }) => metadata.uid));
  const isGone = ({ uid, outcome }: RunPod) => outcome === undefined && !there.has(uid);
  if (run.status?.pods?.some(isGone)) return true;
  if (last?.final || (own && isTrainedTo(own, rung))) return false;
  const hadJob = run.status !== undefined && phaseOf(run) !== 'Waiting';
  return (job !== undefined && isJobEnding(job)) || (isFinal(phase) && hadJob);
}

/** What belongs to this Run, and not to a deleted one of the same name. */
type Scene = {
  readonly run: Run;
  readonly experiment: ObservedRun['experiment'];
  readonly job: Job | undefined;
  /** The same, also on its way out. */
  readonly own: Job | undefined;
  /** A Job of that name is on its way out, or a pod of a deleted Run of that name still trains. */
  readonly predecessor: boolean;
  /** Oldest first. */
  readonly pods: readonly Pod[];
  /** The newest pod, if it has not ended. */
  readonly live: Pod | undefined;
  readonly workload: Workload | undefined;
  readonly events: readonly ClusterEvent[];
  readonly obstacle: ObservedRun['obstacle'];
  /** The pods were told to go, and not by others who need their place. */
  readonly told: boolean;
};

function sceneOf(observed: ObservedRun): Scene {
  const { run, experiment, job: found, pods: all, workload, events = [], obstacle, now } = observed;
  const { uid } = run.metadata;
  const own = found?.metadata.ownerReferences?.some((owner) => owner.uid === uid) ? found : undefined;
  const job = own?.metadata.deletionTimestamp === undefined ? own : undefined;
  const pods = byAge(podsOfRun(run, own, all));
  const told =
    run.spec.stop !== undefined ||
    run.spec.suspend ||
    job === undefined ||
    // Of a Job that is out of retries no pod is left to be told.
    (isJobEnding(job) && !isOutOfRetries(job)) ||
    isPastDeadline(job, now);
  return {
    run,
    experiment,
    job,
    own,
    predecessor:
      (found !== undefined && job === undefined) ||
      all.some((pod) => !pods.includes(pod) && occupies(pod, run)),
    pods,
    live: pods.findLast((pod) => !isEnded(pod)),
    workload,
    events,
    obstacle,
    told,
  };
}

function find(scene: Scene, last: PodEnd | undefined, rung: Rung | undefined, usage: Accounts): Finding {
  const { run, experiment, job, live } = scene;
  const from = resumption(usage.attempts, scene.pods, experiment && experiment.spec.storage !== undefined);
  // What the trainer says of its end is the truth; the Job's conditions follow.
  if (last?.final) {
    return {
      phase: last.outcome === 'Succeeded' ? 'Succeeded' : 'Failed',
      reason: last.reason,
      message: last.message,
    };
  }
  const paused = live === undefined && rung ? between(scene, rung, from, usage) : undefined;
  if (paused) return paused;
  const retries = experiment?.spec.retries ?? job?.spec?.backoffLimit ?? 0;
  const early = job && gaveUpEarly(job, retries, usage);
  const end = job && jobEnd(job, scene, last, { retries, from, early: early === true });
  if (end) return end;

  if (run.spec.stop) return stopping(scene, run.spec.stop, usage);
  if (run.spec.suspend) return suspended(scene, usage);
  if (job === undefined) return withoutJob(scene);
  if (early) return replaced(from);

  const inQueue = queued(job, scene.workload, from);
  if (inQueue) return inQueue;
  if (job.spec?.suspend) {
    return live
      ? leaving(live, 'JobSuspended', `Its Job was suspended: ${farewell(live)}.`)
      : { phase: 'Waiting', reason: 'JobSuspended', message: suspendedText(job) };
  }
  if (live) return livePod(live, scene.events, from);
  const newest = scene.pods.at(-1);
  if (newest && last && isPodOf(newest, job)) {
    const message = `${last.message} ${goingOn('Another attempt follows', from)}`;
    return { phase: 'Starting', reason: last.reason, message };
  }
  return withoutPod(job, scene.events);
}

/** Of a Run that no pod trains and that has come to a rung: what its spec asks of it there; undefined: it goes on already. */
function between(scene: Scene, rung: Rung, from: Resumption, usage: Accounts): Finding | undefined {
  const { run, own } = scene;
  const isThere = isAsFarAsAsked(run, rung);
  if (!isThere && !(own && isTrainedTo(own, rung))) return undefined;
  const { stop, suspend } = run.spec;
  if (stop) return { phase: 'Stopped', reason: stop.reason, message: stop.message };
  if (isThere) return atRung(rung);
  return suspend ? suspended(scene, usage) : trainedOn(run, rung, from);
}

/** What a Job that has ended, or is ending its last pods, means for its Run. */
function jobEnd(
  job: Job,
  { run, experiment, pods, live }: Scene,
  last: PodEnd | undefined,
  failure: { readonly retries: number; readonly from: Resumption; readonly early: boolean },
): Finding | undefined {
  const conditions = job.status?.conditions;
  const newest = pods.at(-1);
  const silent =
    live === undefined && newest !== undefined && isPodOf(newest, job) && last?.outcome === 'Succeeded';
  const ending = ['Complete', 'Failed', 'FailureTarget'].flatMap(
    (type) => conditionTrue(conditions, type) ?? [],
  )[0];
  if (ending === undefined && !silent) return undefined;
  if (live) return leaving(live, ending?.reason ?? 'JobEnding', `Its Job is ${textOf(ending)}`);
  if (silent) return run.spec.stop ? undefined : unreadResult(run, job, experiment, untold(last));
  if (conditionTrue(conditions, 'Complete')) {
    return run.spec.stop ? undefined : unreadResult(run, job, experiment, 'its pod is gone');
  }
  if (failure.early) return undefined;
  const reported = run.status?.conditions.find(({ type }) => type === 'LastAttemptFailed');
  return jobFailure(job, last, reported, failure);
}

/** Why its word is not that of the end, or of the rung that it was sent to. */
function untold({ message, rung }: PodEnd): string {
  return rung === undefined ? message : `it paused at epoch ${rung.epoch}, which it was not told to`;
}

function textOf(ending: ObjectCondition | undefined): string {
  return ending?.type === 'Complete'
    ? 'complete: its pod ends.'
    : `failing: ${sentence(ending?.message ?? '')}`;
}

function suspendedText({ metadata: { namespace, name } }: Job): string {
  return `Its Job was suspended by someone else. To let it go on: kubectl patch job -n ${namespace} ${name} --type=merge -p '{"spec":{"suspend":false}}'`;
}

function replaced(from: Resumption): Finding {
  const next = goingOn('Another Job follows', from);
  return {
    phase: 'Queued',
    reason: 'JobReplaced',
    message: `Its Job ended as it counts pods that were taken away as failures. ${next} No retry is spent.`,
  };
}

function capital(text: string): string {
  return text.replace(/^./, (first) => first.toUpperCase());
}

function isPodOf(pod: Pod, job: Job): boolean {
  return pod.metadata.ownerReferences?.some(({ uid }) => uid === job.metadata.uid) ?? false;
}

function withoutJob({ run, live, predecessor, obstacle }: Scene): Finding {
  if (live) {
    const message = `Its Job was deleted: ${farewell(live)}; another Job follows.`;
    return leaving(live, 'JobDeleted', message);
  }
  const { name } = run.metadata;
  if (predecessor) {
    const message = `An earlier Job named ${name} and its pod have to go first.`;
    return { phase: 'Queued', reason: 'JobOutdated', message };
  }
  return obstacle
    ? { phase: 'Queued', ...obstacle }
    : { phase: 'Queued', reason: 'JobPending', message: 'Its Job is about to be created.' };
}

function stopping(
  { live, job, predecessor }: Scene,
  stop: NonNullable<Run['spec']['stop']>,
  { attempts }: Accounts,
): Finding {
  if (live) return leaving(live, 'Stopping', `${capital(farewell(live))}. ${stop.message}`);
  if (job || predecessor) return { phase: 'Queued', reason: 'Stopping', message: stop.message };
  return { phase: attempts === 0 ? 'Skipped' : 'Stopped', reason: stop.reason, message: stop.message };
}

function suspended({ live }: Scene, { attempts }: Accounts): Finding {
  if (live) return leaving(live, 'Pausing', `${capital(farewell(live))}.`);
  return attempts === 0
    ? { phase: 'Waiting', reason: 'NotStarted', message: 'Waits for its teacher or its turn.' }
    : { phase: 'Waiting', reason: 'Paused', message: 'Paused; it goes on when it is its turn again.' };
}
