import { container, gpusAnnotation } from './contract.ts';
import { conditionTrue, type ObjectCondition, type Pod } from './objects.ts';

/** Whether all processes of the pod have ended, as the kubelet or the pod's garbage collector says. */
export function isEnded(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** State of the trainer's container. Undefined before the kubelet has taken up the pod. */
export function trainerState(pod: Pod) {
  return pod.status?.containerStatuses?.find(({ name }) => name === container)?.state;
}

/** Whether the trainer runs or has run in it. */
export function hasStarted(pod: Pod): boolean {
  const state = trainerState(pod);
  return state?.running !== undefined || state?.terminated !== undefined;
}

/** When the trainer started. Of one that could not be started, container runtimes say that it did so in 1970. */
export function startOf(pod: Pod): string | undefined {
  const state = trainerState(pod);
  const time = state?.running?.startedAt ?? state?.terminated?.startedAt;
  return time !== undefined && Date.parse(time) > 0 ? time : undefined;
}

export function nodeOf(pod: Pod): string | undefined {
  return pod.spec?.nodeName;
}

/** `node gpu-1`, or `its node`. */
export function nodeText(pod: Pod): string {
  const node = nodeOf(pod);
  return node === undefined ? 'its node' : `node ${node}`;
}

export function gpusOf(pod: Pod): number {
  const gpus = Number(pod.metadata.annotations?.[gpusAnnotation] ?? 0);
  return Number.isSafeInteger(gpus) && gpus > 0 ? gpus : 0;
}

/** Why the pod was taken away by something outside it, if so. */
export function disruption(pod: Pod): ObjectCondition | undefined {
  return conditionTrue(pod.status?.conditions, 'DisruptionTarget');
}
