import type { Finding } from './finding.ts';
import { jobUidLabel, queueLabel } from './kueue-labels.ts';
import { conditionTrue, type Job, type Workload } from './objects.ts';
import { sentence } from './sentence.ts';

/**
 * Where a Job with a queue stands as long as Kueue decides; undefined once it is admitted and runs like any other.
 *
 * Eviction comes in several writes (the Workload's condition, then the Job suspended, then its template restored):
 * from the first on the Run is Queued, also while its pod still writes a checkpoint.
 */
export function queued(job: Job, candidate: Workload | undefined): Finding | undefined {
  const queue = job.metadata.labels?.[queueLabel];
  if (queue === undefined) return undefined;
  const workload = belongsTo(candidate, job) ? candidate : undefined;
  const suspended = job.spec?.suspend === true;
  if (workload === undefined) return suspended ? notTakenUp(queue) : undefined;

  const conditions = workload.status?.conditions;
  const finished = conditionTrue(conditions, 'Finished');
  if (finished) return finishedEarly(finished);

  const evicted = conditionTrue(conditions, 'Evicted');
  if (workload.spec.active === false) return held(workload, job.metadata.namespace, evicted);
  const waiting = conditions?.find(({ type, status }) => type === 'QuotaReserved' && status === 'False');
  const why = waiting?.message ? ` ${sentence(waiting.message)}` : '';
  if (evicted) {
    const by = evicted.message ?? evicted.reason ?? 'no reason was given';
    return {
      phase: 'Queued',
      reason: 'Preempted',
      message: `Kueue took back its place: ${sentence(by)} It waits in queue ${queue} and goes on from its last checkpoint.${why}`,
    };
  }
  if (!suspended) return undefined;
  if (conditionTrue(conditions, 'Admitted')) {
    return { phase: 'Starting', reason: 'Admitted', message: 'Kueue has admitted it; its pod follows.' };
  }
  if (conditionTrue(conditions, 'QuotaReserved')) return checking(workload);
  return { phase: 'Queued', reason: 'InQueue', message: `Waits in queue ${queue}.${why}` };
}

/** Workloads outlive their Jobs, and Jobs of one name follow each other. */
function belongsTo(workload: Workload | undefined, job: Job): boolean {
  const uid = workload?.metadata.labels?.[jobUidLabel];
  return uid === undefined || uid === job.metadata.uid;
}

function notTakenUp(queue: string): Finding {
  return {
    phase: 'Queued',
    reason: 'InQueue',
    message: `Waits in queue ${queue}: Kueue has not taken it up yet. If this lasts, check that Kueue is running.`,
  };
}

/**
 * Kueue gave the Job up before it ended, for good. Where Kueue only reports the Job's own end, that end is about to
 * be seen.
 */
function finishedEarly(finished: { reason?: string | undefined; message?: string | undefined }) {
  const { reason = 'Finished', message = '' } = finished;
  if (['Succeeded', 'Failed', 'JobFinished'].includes(reason)) return undefined;
  const hint =
    reason === 'FailedToStart'
      ? ' A key of spec.pod.nodeSelector must not be one that a ResourceFlavor of the queue sets.'
      : '';
  return {
    phase: 'Failed',
    reason,
    message: `Kueue gave it up: ${sentence(message)}${hint} Delete the Run to have it tried again.`,
  } as const;
}

function held(
  { metadata }: Workload,
  namespace: string,
  evicted: { readonly message?: string | undefined } | undefined,
): Finding {
  const why = evicted?.message ? ` (${evicted.message})` : '';
  return {
    phase: 'Queued',
    reason: 'Held',
    message: `Its Workload was deactivated${why}. To let it go on: kubectl patch workload -n ${namespace} ${metadata.name} --type=merge -p '{"spec":{"active":true}}'`,
    blocked: true,
  };
}

function checking({ status }: Workload): Finding {
  const open = (status?.admissionChecks ?? [])
    .filter(({ state }) => state !== 'Ready')
    .map(({ name, state, message }) => `${name}: ${state}${message ? `, ${message}` : ''}`);
  const which = open.length === 0 ? '' : ` (${open.join('; ')})`;
  return {
    phase: 'Queued',
    reason: 'AdmissionChecks',
    message: `Its quota is reserved; it waits for admission checks${which}.`,
  };
}
