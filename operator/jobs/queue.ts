import type { Finding } from './finding.ts';
import { hindrance } from './hindrance.ts';
import { jobUidLabel, priorityLabel, queueLabel } from './kueue-labels.ts';
import { conditionTrue, type Job, type ObjectCondition, type Workload } from './objects.ts';
import { goingOn, type Resumption } from './resumption.ts';
import { sentence } from './sentence.ts';

/**
 * Where a Job that Kueue manages stands as long as Kueue decides; undefined once it is admitted and runs like any other.
 *
 * Eviction comes in several writes (the Workload's condition, then the Job suspended, then its template restored):
 * from the first on the Run is Queued, also while its pod still writes a checkpoint. `from` is where it then goes on.
 */
export function queued(job: Job, candidate: Workload | undefined, from: Resumption): Finding | undefined {
  const queue = job.metadata.labels?.[queueLabel];
  const workload = belongsTo(candidate, job) ? candidate : undefined;
  const suspended = job.spec?.suspend === true;
  if (queue === undefined) return suspended && workload ? withoutQueue(job) : undefined;
  if (workload === undefined) return suspended ? notTakenUp(queue, job) : undefined;

  const conditions = workload.status?.conditions;
  const finished = conditionTrue(conditions, 'Finished');
  if (finished) return finishedEarly(finished);

  const evicted = conditionTrue(conditions, 'Evicted');
  if (workload.spec.active === false) return held(workload, job.metadata.namespace, evicted);
  const waiting = conditions?.find(({ type, status }) => type === 'QuotaReserved' && status === 'False');
  if (evicted) return takenBack(queue, evicted, waiting, from);
  if (!suspended) return undefined;
  if (conditionTrue(conditions, 'Admitted')) {
    return { phase: 'Starting', reason: 'Admitted', message: 'Kueue has admitted it; its pod follows.' };
  }
  if (conditionTrue(conditions, 'QuotaReserved')) return checking(workload);
  return inQueue(queue, waiting);
}

/** Workloads outlive their Jobs, and Jobs of one name follow each other. */
function belongsTo(workload: Workload | undefined, job: Job): boolean {
  const uid = workload?.metadata.labels?.[jobUidLabel];
  return uid === undefined || uid === job.metadata.uid;
}

/** Kueue manages Jobs without a queue, too (manageJobsWithoutQueueName), and lets none of them start. */
function withoutQueue({ metadata }: Job): Finding {
  return {
    phase: 'Queued',
    reason: 'QueueNeeded',
    message: `Kueue lets no Job start in namespace ${metadata.namespace} that is in no queue. Set spec.queue to one of kubectl get localqueues -n ${metadata.namespace}.`,
    blocked: true,
  };
}

function notTakenUp(queue: string, { metadata: { labels } }: Job): Finding {
  const priority = labels?.[priorityLabel];
  const also = priority === undefined ? '' : `, and that there is a WorkloadPriorityClass ${priority}`;
  return {
    phase: 'Queued',
    reason: 'NotTakenUp',
    message: `Waits for queue ${queue}: Kueue has not taken it up yet. If this lasts, check that Kueue is running${also}.`,
  };
}

function inQueue(queue: string, waiting: ObjectCondition | undefined): Finding {
  const why = waiting?.message ?? '';
  const hindered = waiting && hindrance(waiting);
  if (hindered === undefined) {
    return { phase: 'Queued', reason: 'InQueue', message: `Waits in queue ${queue}.${spaced(why)}` };
  }
  return {
    phase: 'Queued',
    reason: hindered.reason,
    message: `In queue ${queue} it cannot start: ${sentence(why)} ${hindered.advice}`,
    blocked: true,
  };
}

function takenBack(
  queue: string,
  evicted: ObjectCondition,
  waiting: ObjectCondition | undefined,
  from: Resumption,
): Finding {
  const by = evicted.message ?? evicted.reason ?? 'no reason was given';
  // Until it is looked at again, Kueue gives the reason for which it went as that for which it waits.
  const why = waiting?.message === by ? '' : (waiting?.message ?? '');
  const hindered = waiting && hindrance(waiting);
  const next = goingOn(`It waits in queue ${queue}`, from);
  return {
    phase: 'Queued',
    reason: hindered?.reason ?? 'Preempted',
    message: `Kueue took back its place: ${sentence(by)} ${next}${spaced(why)}${spaced(hindered?.advice ?? '')}`,
    ...(hindered ? { blocked: true } : {}),
  };
}

function spaced(text: string): string {
  return text === '' ? '' : ` ${sentence(text)}`;
}

/**
 * Kueue gave the Job up before it ended, for good. Where Kueue only reports the Job's own end, that end is about to
 * be seen.
 */
function finishedEarly({ reason = 'Finished', message = '' }: ObjectCondition): Finding | undefined {
  if (['Succeeded', 'Failed', 'JobFinished'].includes(reason)) return undefined;
  return {
    phase: 'Failed',
    reason,
    message: `Kueue gave it up: ${sentence(message)} Delete the Run to have it tried again.`,
  };
}

function held({ metadata }: Workload, namespace: string, evicted: ObjectCondition | undefined): Finding {
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
