import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { Run } from '@destillml/core/api/run.ts';
import { isFinal, phaseOf } from '@destillml/core/plan/phases.ts';
import { type Accounts, accounts, byAge } from './accounts.ts';
import { label } from './contract.ts';
import type { Finding } from './finding.ts';
import { isJobEnding, isPastDeadline, jobEnd } from './job-end.ts';
import { leaving, livePod } from './live-pod.ts';
import { type ClusterEvent, conditionTrue, type Job, type Pod, type Workload } from './objects.ts';
import { isEnded } from './pod.ts';
import { type PodEnd, podEnd } from './pod-end.ts';
import { queued } from './queue.ts';
import { withoutPod } from './refused.ts';
import { farewell, goingOn, type Resumption, resumption } from './resumption.ts';
import { gaveUpEarly, isOutOfRetries } from './retries.ts';
import { type ReportedStatus, statusOf } from './run-status.ts';
import { sentence } from './sentence.ts';

export type ObservedRun = {
  /** With the status written last. */
  readonly run: Run;
  /** That it is of; undefined where it is gone. */
  readonly experiment?: Pick<Experiment, 'spec'> | undefined;
  /** The Job of the Run's name. */
  readonly job?: Job | undefined;
  /** All pods labelled with the Run's name, those of a deleted Run of that name too. */
  readonly pods: readonly Pod[];
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
};

/**
 * What has become of a Run, from what can be seen of it and what was known before.
 *
 * The same world gives the same observation; writing it and observing again changes nothing. A phase that a Run never
 * leaves is kept whatever is seen later.
 */
export function observe(observed: ObservedRun): Observation {
  const { run, pods, now } = observed;
  const occupied = pods.some((pod) => !isEnded(pod));
  if (run.status && isFinal(phaseOf(run))) {
    const { progress: _progress, history: _history, ...status } = run.status;
    return { status, occupied };
  }
  const scene = sceneOf(observed);
  const usage = accounts(run.status, scene.pods, { told: scene.told, now });
  const last = scene.pods.flatMap((pod) => podEnd(pod, scene.told) ?? []).at(-1);
  const result = last?.result ?? run.status?.result;
  const explanation = last?.explanation ?? run.status?.explanation;
  const outcome = { ...(result ? { result } : {}), ...(explanation ? { explanation } : {}) };
  const finding = find(scene, last, usage);
  return { status: statusOf(run, finding, last, { ...usage, ...outcome }, now), occupied };
}

/** What belongs to this Run, and not to a deleted one of the same name. */
type Scene = {
  readonly run: Run;
  readonly experiment: ObservedRun['experiment'];
  readonly job: Job | undefined;
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
  const pods = byAge(all.filter(({ metadata }) => metadata.labels?.[label.runUid] === uid));
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
    predecessor:
      (found !== undefined && job === undefined) || all.some((pod) => !pods.includes(pod) && !isEnded(pod)),
    pods,
    live: pods.findLast((pod) => !isEnded(pod)),
    workload,
    events,
    obstacle,
    told,
  };
}

function find(scene: Scene, last: PodEnd | undefined, usage: Accounts): Finding {
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
  const reported = run.status?.conditions.find(({ type }) => type === 'LastAttemptFailed');
  const retries = experiment?.spec.retries ?? job?.spec?.backoffLimit ?? 0;
  const early = job && gaveUpEarly(job, retries, usage);
  // A Job that is out of retries has no pod left: how the one that is known here ended is about to be seen.
  const unseen = job && isOutOfRetries(job) && live !== undefined;
  const end = job && !early && !unseen && jobEnd(job, last, reported, live !== undefined, { retries, from });
  if (end) return end;

  if (run.spec.stop) return stopping(scene, run.spec.stop, usage);
  if (run.spec.suspend) return paused(scene, usage);
  if (job === undefined) return withoutJob(scene);
  const ending = conditionTrue(job.status?.conditions, 'FailureTarget');
  if (ending && live)
    return leaving(
      live,
      ending.reason ?? 'JobFailing',
      `Its Job is failing: ${sentence(ending.message ?? '')}`,
    );
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

function paused({ live }: Scene, { attempts }: Accounts): Finding {
  if (live) return leaving(live, 'Pausing', `${capital(farewell(live))}.`);
  return attempts === 0
    ? { phase: 'Waiting', reason: 'NotStarted', message: 'Waits for its teacher or its turn.' }
    : { phase: 'Waiting', reason: 'Paused', message: 'Paused; it goes on when it is its turn again.' };
}
