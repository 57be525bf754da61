import type { Run } from '@destillml/core/api/run.ts';
import { label } from './contract.ts';
import type { Job, Pod } from './objects.ts';
import { isEnded } from './pod.ts';

/**
 * The pods that count as the Run's: those that the Job controller made for its Job, and those that were known as such
 * before their Job went. Labels alone may be copied by whoever may create pods.
 *
 * @param job the Run's own, also on its way out
 */
export function podsOfRun({ metadata, status }: Run, job: Job | undefined, pods: readonly Pod[]): Pod[] {
  const known = new Set(status?.pods?.map(({ uid }) => uid));
  return pods.filter((pod) => {
    if (pod.metadata.labels?.[label.runUid] !== metadata.uid) return false;
    const owner = jobOf(pod);
    return known.has(pod.metadata.uid ?? '') || (owner !== undefined && owner.uid === job?.metadata.uid);
  });
}

/**
 * Whether the pod may write to the folder of the Run of this name: of whichever Job of that name it is. One that names
 * no Job is somebody's own, and one that names a Job that never was goes by the garbage collector.
 */
export function occupies(pod: Pod, { metadata: { name } }: Run): boolean {
  return !isEnded(pod) && jobOf(pod)?.name === name;
}

function jobOf({ metadata }: Pod) {
  return metadata.ownerReferences?.find(({ controller, kind }) => controller === true && kind === 'Job');
}
