import { newestEvent } from './cluster-events.ts';
import { container } from './contract.ts';
import type { Finding } from './finding.ts';
import type { ClusterEvent, Pod } from './objects.ts';
import { nodeText, trainerState } from './pod.ts';
import { sentence } from './sentence.ts';

/** Why a pod that has not ended does not train yet. */
export function pendingPod(pod: Pod, events: readonly ClusterEvent[]): Finding {
  return notScheduled(pod) ?? waitingContainer(pod) ?? volumesMissing(pod, events) ?? creating(pod);
}

function notScheduled(pod: Pod): Finding | undefined {
  if (pod.spec?.nodeName !== undefined) return undefined;
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status !== 'False') {
    return { phase: 'Queued', reason: 'Scheduling', message: 'Its pod waits for the scheduler.' };
  }
  const message = scheduled.message ?? '';
  if (scheduled.reason === 'SchedulingGated') {
    return {
      phase: 'Queued',
      reason: 'SchedulingGated',
      message: 'A scheduling gate of another component holds its pod back.',
      blocked: true,
    };
  }
  const claim = /persistentvolumeclaim "([^"]+)" not found/.exec(message)?.[1];
  if (claim !== undefined) {
    return {
      phase: 'Queued',
      reason: 'VolumeClaimMissing',
      message: `PersistentVolumeClaim ${claim} does not exist in namespace ${pod.metadata.namespace}. Create it; the Run then starts by itself.`,
      blocked: true,
    };
  }
  if (/unbound immediate PersistentVolumeClaims/i.test(message)) {
    const claims = claimsOf(pod).join(', ');
    return {
      phase: 'Queued',
      reason: 'VolumeClaimUnbound',
      message: `A PersistentVolumeClaim has no volume yet (of: ${claims}). See kubectl describe pvc -n ${pod.metadata.namespace}; often its storage class is wrong or has no provisioner.`,
      blocked: true,
    };
  }
  return {
    phase: 'Queued',
    reason: 'Unschedulable',
    message: `No node has room for its pod now: ${sentence(message)} It starts as soon as one has. If none ever will, check spec.pod: gpus, resources, nodeSelector, tolerations.`,
    blocked: true,
  };
}

function claimsOf(pod: Pod): readonly string[] {
  return (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim ? [persistentVolumeClaim.claimName] : [],
  );
}

function waitingContainer(pod: Pod): Finding | undefined {
  const { reason, message = '' } = trainerState(pod)?.waiting ?? {};
  const image = pod.spec?.containers.find(({ name }) => name === container)?.image ?? '';
  const blocked = { phase: 'Starting', blocked: true } as const;
  switch (reason) {
    // The first two alternate with every try; so that the status does not, both are called the same.
    case 'ErrImagePull':
    case 'ImagePullBackOff':
      return {
        ...blocked,
        reason: 'ImagePullBackOff',
        message: `Image ${image} cannot be pulled: ${sentence(pullError(message))} Check its name and that the nodes may pull it (imagePullSecrets of spec.pod.serviceAccountName); it is tried again.`,
      };
    case 'ErrImageNeverPull':
      return {
        ...blocked,
        reason,
        message: `Image ${image} is not on ${nodeText(pod)}, and it may not be pulled. Load it there, or allow pulling.`,
      };
    case 'InvalidImageName':
      return { ...blocked, reason, message: `${image} is not the name of an image. Correct spec.pod.image.` };
    case 'CreateContainerConfigError':
      return { ...blocked, reason, message: configError(message, pod.metadata.namespace) };
    case 'CreateContainerError':
    case 'RunContainerError':
      return {
        ...blocked,
        reason,
        message: `The container runtime of ${nodeText(pod)} cannot start image ${image}: ${sentence(message)} It is tried again.`,
      };
    default:
      return undefined;
  }
}

function pullError(message: string): string {
  return (
    message.replace(/^Back-off pulling image "[^"]*"(: )?/, '').replace(/^[A-Za-z]+: /, '') ||
    'no reason given'
  );
}

function configError(message: string, namespace: string): string {
  const missing = /^(secret|configmap) "([^"]+)" not found/.exec(message);
  if (missing) {
    const kind = missing[1] === 'secret' ? 'Secret' : 'ConfigMap';
    return `${kind} ${missing[2]} does not exist in namespace ${namespace}. Create it; the Run then starts by itself.`;
  }
  const key = /couldn't find key (\S+) in Secret (\S+)/.exec(message);
  if (key) return `Secret ${key[2]} has no key ${key[1]}. Add it; the Run then starts by itself.`;
  return `The container cannot be made: ${sentence(message)} Correct it; the Run then starts by itself.`;
}

function volumesMissing(pod: Pod, events: readonly ClusterEvent[]): Finding | undefined {
  const event = newestEvent(events, pod.metadata.uid, ['FailedMount', 'FailedAttachVolume']);
  if (event === undefined || trainerState(pod)?.running) return undefined;
  return {
    phase: 'Starting',
    reason: 'FailedMount',
    message: `A volume of its pod cannot be mounted on ${nodeText(pod)}: ${sentence(event.message ?? '')} It is tried again.`,
    blocked: true,
  };
}

function creating(pod: Pod): Finding {
  return {
    phase: 'Starting',
    reason: 'ContainerCreating',
    message: `On ${nodeText(pod)} its image is pulled and its volumes are mounted.`,
  };
}
