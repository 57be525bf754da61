import type { RunPod, RunStatus } from '@destillml/core/api/run.ts';
import type { Pod } from './objects.ts';
import { disruption, gpusOf, hasStarted, isEnded, nodeOf, startOf, trainerState } from './pod.ts';
import { podEnd } from './pod-end.ts';

/** GPU time of a pod that still trains is counted in steps of so many seconds: each step is a write to the API server. */
export const countingSeconds = 60;

/** Records of pods that are gone are kept for so many; older ones live on in the sums. */
const remembered = 16;

export type Accounts = {
  readonly attempts: number;
  /** Attempts that failed: each but the first spends a retry. Absent while there is none. */
  readonly failures?: number;
  readonly preemptions: number;
  readonly gpuSeconds: number;
  readonly pods: RunPod[];
};

/**
 * What a Run has used, over all its pods.
 *
 * `status.pods` has a record for each pod that was bound to a node, started or ended, by uid, written together with the
 * sums. A pod that is seen again changes its own record, so nothing is counted twice; the record of one that is gone
 * stays as it was. Sums are those of before, less the old records, plus the new ones: records that are dropped stay
 * in them.
 *
 * GPU time is GPUs times the seconds between start and end of the trainer's container, both by the clock of its node.
 * While it trains the end is now, and the clocks may differ: it is never more than since the pod is there, by the
 * cluster's clock, and what was counted by a clock that was wrong is corrected. Of a pod that vanished without its end
 * having been seen it is what was counted so far.
 */
export function accounts(
  status: RunStatus | undefined,
  pods: readonly Pod[],
  context: {
    /** The Run's pods were told to go: none was preempted. */
    readonly told: boolean;
    /** These are all its pods. Otherwise one that is missing may only not be known yet. */
    readonly podsRead: boolean;
    /** By the cluster's clock. */
    readonly now: Date;
  },
): Accounts {
  const before = status?.pods ?? [];
  const observed = new Map(pods.map((pod) => [pod.metadata.uid, pod]));
  const known = new Set(before.map(({ uid }) => uid));
  const records = [
    ...before.map((record) => {
      const pod = observed.get(record.uid);
      if (record.outcome !== undefined) return record;
      if (pod !== undefined) return recordOf(pod, record, context);
      return context.podsRead ? vanished(record, context.told) : record;
    }),
    ...byAge(pods)
      .filter((pod) => !known.has(pod.metadata.uid ?? '') && isWorthARecord(pod))
      .map((pod) => recordOf(pod, undefined, context)),
  ];
  const carried = sumOf(before);
  const current = sumOf(records);
  const total = (key: keyof Sums) => Math.max(0, (status?.[key] ?? 0) - carried[key]) + current[key];
  const failures = total('failures');
  return {
    attempts: total('attempts'),
    ...(failures === 0 ? {} : { failures }),
    preemptions: total('preemptions'),
    gpuSeconds: total('gpuSeconds'),
    pods: records.filter(({ uid }, index) => observed.has(uid) || index >= records.length - remembered),
  };
}

/** Not while it only waits for a node. */
function isWorthARecord(pod: Pod): boolean {
  return nodeOf(pod) !== undefined || hasStarted(pod) || isEnded(pod);
}

/** Oldest first. Two pods of one Run never run at the same time. */
export function byAge(pods: readonly Pod[]): readonly Pod[] {
  const age = ({ metadata }: Pod) => Date.parse(metadata.creationTimestamp ?? '') || 0;
  return pods.toSorted((a, b) => age(a) - age(b));
}

type Sums = Readonly<Record<'attempts' | 'failures' | 'preemptions' | 'gpuSeconds', number>>;

function sumOf(records: readonly RunPod[]): Sums {
  return {
    attempts: records.filter(({ startTime }) => startTime !== undefined).length,
    failures: records.filter(({ outcome }) => outcome === 'Failed').length,
    preemptions: records.filter(({ outcome }) => outcome === 'Preempted').length,
    gpuSeconds: records.reduce((sum, { gpuSeconds }) => sum + gpuSeconds, 0),
  };
}

function vanished(record: RunPod, told: boolean): RunPod {
  return { ...record, outcome: told ? 'Stopped' : 'Preempted' };
}

function recordOf(
  pod: Pod,
  before: RunPod | undefined,
  { told, now }: { readonly told: boolean; readonly now: Date },
): RunPod {
  const node = nodeOf(pod);
  const startTime = startOf(pod) ?? before?.startTime;
  const endTime = startTime === undefined ? undefined : endOf(pod);
  const outcome = podEnd(pod, told)?.outcome;
  return {
    uid: pod.metadata.uid ?? '',
    name: pod.metadata.name,
    ...(node === undefined ? {} : { node }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(endTime === undefined ? {} : { endTime }),
    gpuSeconds: startTime === undefined ? 0 : gpuSeconds(pod, startTime, endTime, before, now),
    ...(outcome === undefined ? {} : { outcome }),
  };
}

function gpuSeconds(
  pod: Pod,
  startTime: string,
  endTime: string | undefined,
  before: RunPod | undefined,
  now: Date,
): number {
  const gpus = gpusOf(pod);
  const { creationTimestamp, deletionTimestamp } = pod.metadata;
  const there =
    creationTimestamp === undefined ? Number.POSITIVE_INFINITY : secondsBetween(creationTimestamp, now);
  const worked = secondsBetween(startTime, endTime ?? now);
  // A minute more than it is there: nodes and the API server count seconds of their own.
  const seconds = Math.min(worked, there + countingSeconds);
  if (endTime !== undefined) return seconds * gpus;
  // A pod on its way out is not seen often enough to wait for the next full step.
  const step = deletionTimestamp === undefined ? countingSeconds : 1;
  const counted = Math.floor(seconds / step) * step * gpus;
  // Less than a step less is how clocks differ, more is a clock that was wrong.
  const isWrong = (before?.gpuSeconds ?? 0) - counted > countingSeconds * gpus;
  return isWrong ? counted : Math.max(before?.gpuSeconds ?? 0, counted);
}

/** Of a pod that was lost with its node, the kubelet tells no end: then it is when it was given up. */
function endOf(pod: Pod): string | undefined {
  const seen = trainerState(pod)?.terminated?.finishedAt;
  if (seen) return seen;
  return isEnded(pod) ? disruption(pod)?.lastTransitionTime : undefined;
}

function secondsBetween(start: string, end: string | Date): number {
  const milliseconds = (typeof end === 'string' ? Date.parse(end) : end.getTime()) - Date.parse(start);
  return Number.isFinite(milliseconds) ? Math.max(0, Math.floor(milliseconds / 1000)) : 0;
}
