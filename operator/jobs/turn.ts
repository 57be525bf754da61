import type { Run } from '@destillml/core/api/run.ts';
import { isActive, phaseOf } from '@destillml/core/plan/phases.ts';
import { conditionTrue, type Job, type Workload } from './objects.ts';

/** The teacher of an Experiment that wants into a queue, or is in it. */
export type QueuedTeacher = {
  readonly job: Job | undefined;
  readonly workload: Workload | undefined;
  /** Since when the Workload is known here, in milliseconds. */
  readonly knownFor: number;
};

/** Which of the teachers of an Experiment wants to train: there are several while its parameters are searched for. */
export function teacherInLine<R extends Run>(teachers: readonly R[]): R | undefined {
  // One at a rung is active, and in no queue.
  return teachers.find((run) => isActive(run) && phaseOf(run) !== 'Paused');
}

/**
 * How long a Workload has to be known before another can be made that is surely younger, in milliseconds. Kueue goes by
 * creation times in whole seconds, and among those of one second by their uids; two API servers' clocks are nearly one.
 */
const apart = 1_500;

/**
 * How long a Run still has to keep out of the queue so that the teacher of its Experiment is before it there, in
 * milliseconds; undefined where only the teacher's Workload can tell. Nothing else holds up what waits for the teacher.
 */
export function untilTurn(teacher: QueuedTeacher | undefined): number | undefined {
  if (teacher === undefined || hasPlace(teacher)) return 0;
  return teacher.workload === undefined ? undefined : Math.max(0, apart - teacher.knownFor);
}

/** Whether a Job waits before the teacher, as one does when the teacher's Job was made anew. */
export function isBeforeTeacher(
  job: Job,
  workload: Workload | undefined,
  teacher: QueuedTeacher | undefined,
): boolean {
  if (teacher?.workload === undefined || workload === undefined) return false;
  if (hasPlace(teacher) || hasPlace({ job, workload })) return false;
  return createdAt(workload) <= createdAt(teacher.workload);
}

/** Whether Kueue has given it quota, or decides nothing about it any more. */
function hasPlace({ job, workload }: Pick<QueuedTeacher, 'job' | 'workload'>): boolean {
  if (job?.spec?.suspend === false) return true;
  const conditions = workload?.status?.conditions;
  return ['QuotaReserved', 'Finished'].some((type) => conditionTrue(conditions, type) !== undefined);
}

function createdAt({ metadata }: Workload): number {
  return Date.parse(metadata.creationTimestamp ?? '');
}
