import type { Finding } from './finding.ts';
import type { ClusterEvent, Pod } from './objects.ts';
import { disruption, hasStarted, nodeText, trainerState } from './pod.ts';
import { pendingPod } from './pod-pending.ts';
import { goingOn, type Resumption } from './resumption.ts';

/** A pod on its way out still holds its GPUs. */
export function leaving(pod: Pod, reason: string, message: string): Finding {
  return { phase: hasStarted(pod) ? 'Running' : 'Starting', reason, message };
}

/** Where a Run with a pod that has not ended is; `from` is where the next attempt would begin. */
export function livePod(pod: Pod, events: readonly ClusterEvent[], from: Resumption): Finding {
  const taken = disruption(pod);
  if (taken || pod.metadata.deletionTimestamp !== undefined) {
    const why = taken?.message ? `: ${taken.message}` : '';
    return leaving(
      pod,
      'PodTerminating',
      `Its pod is taken from ${nodeText(pod)}${why}. ${goingOn('Another attempt follows', from)}`,
    );
  }
  if (!hasStarted(pod)) return pendingPod(pod, events);
  // Kubernetes marks the pods of a node that it no longer hears from; what they do is not known.
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  const silent = trainerState(pod)?.running !== undefined && ready?.status === 'False';
  if (silent || pod.status?.phase === 'Unknown') {
    return {
      phase: 'Running',
      reason: 'NodeNotReady',
      message: `${nodeText(pod).replace(/^./, (first) => first.toUpperCase())} does not answer. If it stays away, Kubernetes replaces the pod after some minutes.`,
      blocked: true,
    };
  }
  const where = `on ${nodeText(pod)}.`;
  return pod.metadata.labels?.['destillml.io/role'] === 'explanation'
    ? {
        phase: 'Running',
        reason: 'Explaining',
        message: `Pod ${pod.metadata.name} explains networks ${where}`,
      }
    : { phase: 'Running', reason: 'Training', message: `Pod ${pod.metadata.name} trains ${where}` };
}
