import type { Pod } from './objects.ts';
import { hasStarted } from './pod.ts';

/** Where the next attempt of a Run begins. */
export type Resumption =
  /** None has begun yet. */
  | 'first'
  /** Checkpoints are kept. */
  | 'checkpoint'
  /** They went with the pod. */
  | 'anew';

/** @param attempts that began @param stored whether the Experiment has a storage; undefined: it is gone */
export function resumption(attempts: number, pods: readonly Pod[], stored: boolean | undefined): Resumption {
  if (attempts === 0) return 'first';
  const newest = pods.at(-1);
  return (newest === undefined ? (stored ?? true) : keepsCheckpoints(newest)) ? 'checkpoint' : 'anew';
}

/** Whether the pod's checkpoints are still there for the next pod. */
function keepsCheckpoints(pod: Pod): boolean {
  return !pod.spec?.volumes?.some(({ name, emptyDir }) => name === 'artifacts' && emptyDir !== undefined);
}

/** A sentence of what comes next, such as "Another attempt follows", with where that begins. */
export function goingOn(next: string, from: Resumption): string {
  switch (from) {
    case 'first':
      return `${next}.`;
    case 'checkpoint':
      return `${next} and goes on from the last checkpoint.`;
    case 'anew':
      return `${next} and begins anew: the Experiment has no spec.storage to keep checkpoints in.`;
  }
}

/** How a pod goes that was told to, as a clause. */
export function farewell(pod: Pod): string {
  return hasStarted(pod) && keepsCheckpoints(pod) ? 'its pod writes a checkpoint and ends' : 'its pod ends';
}
