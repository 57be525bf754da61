import { container } from '../../operator/jobs/contract.ts';
import type { Pod } from '../../operator/jobs/objects.ts';
import { trainerState } from '../../operator/jobs/pod.ts';

/**
 * What the scheduler and a kubelet write to the status of a pod with one container, the trainer: strategic merge
 * patches, in which conditions are merged by type and `null` removes a field. After kubelet/status/generate.go and
 * kubelet/status/status_manager.go of Kubernetes 1.36.
 */
export type StatusPatch = Readonly<Record<string, unknown>>;

/** As containerd says of a container that it could not start. */
const neverStarted = '1970-01-01T00:00:00Z';

/** Why something is as it is, in one CamelCase word and in words. */
export type Why = { readonly reason: string; readonly message?: string };

/** How a pod ends other than well. */
export type Failure = {
  /** Of the trainer. Absent where the kubelet gave up the pod before there was a container. */
  readonly exitCode?: number;
  /** Its termination message: text, or JSON if it is an object. */
  readonly message?: string | object;
  /** What the container runtime calls it: `Error` unless told, or `OOMKilled`, `StartError`… */
  readonly reason?: string;
  /** What the kubelet says of the pod where it ended it itself: `Evicted`, `UnexpectedAdmissionError`… */
  readonly verdict?: Why;
  /** The condition DisruptionTarget, such as `TerminationByKubelet`, `DeletionByPodGC`. */
  readonly disruption?: Why;
};

/** The scheduler found no node. */
export function unschedulable(pod: Pod, message: string, now: string): StatusPatch {
  return { conditions: [condition(pod, now, 'PodScheduled', 'False', { reason: 'Unschedulable', message })] };
}

/** The pod has a sandbox on its node, and its container cannot be started. */
export function waiting(pod: Pod, why: Why, now: string): StatusPatch {
  return patch(pod, now, {
    phase: 'Pending',
    sandbox: true,
    initialized: {},
    ready: [
      'False',
      { reason: 'ContainersNotReady', message: `containers with unready status: [${container}]` },
    ],
    trainer: { waiting: why },
  });
}

export function running(pod: Pod, now: string): StatusPatch {
  return patch(pod, now, {
    phase: 'Running',
    sandbox: true,
    initialized: {},
    ready: ['True', {}],
    trainer: { running: { startedAt: now } },
  });
}

export function succeeded(pod: Pod, message: string | object, now: string): StatusPatch {
  const completed = { reason: 'PodCompleted' };
  return patch(pod, now, {
    phase: 'Succeeded',
    sandbox: false,
    initialized: completed,
    ready: ['False', completed],
    trainer: { terminated: terminated(pod, { exitCode: 0, reason: 'Completed', message }, now) },
  });
}

export function failed(
  pod: Pod,
  { exitCode, verdict, disruption, ...end }: Failure,
  now: string,
): StatusPatch {
  const disruptions = disruption ? [condition(pod, now, 'DisruptionTarget', 'True', disruption)] : [];
  if (exitCode === undefined) return { ...common(pod, 'Failed', now), ...verdict, conditions: disruptions };
  const status = patch(pod, now, {
    phase: 'Failed',
    sandbox: false,
    initialized: {},
    ready: ['False', { reason: 'PodFailed' }],
    trainer: { terminated: terminated(pod, { reason: 'Error', ...end, exitCode }, now) },
  });
  return { ...status, ...verdict, conditions: [...status.conditions, ...disruptions] };
}

/** The pod was told to go before its container ran. */
export function neverRan(pod: Pod, now: string): StatusPatch {
  return patch(pod, now, {
    phase: 'Failed',
    sandbox: false,
    initialized: {},
    ready: ['False', { reason: 'PodFailed' }],
    trainer: {
      terminated: {
        exitCode: 137,
        reason: 'ContainerStatusUnknown',
        message: 'The container could not be located when the pod was terminated',
        startedAt: null,
        finishedAt: null,
      },
    },
  });
}

/** Something outside the pod is about to delete it. */
export function disrupted(pod: Pod, why: Why, now: string): StatusPatch {
  return { conditions: [condition(pod, now, 'DisruptionTarget', 'True', why)] };
}

type Told = {
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly sandbox: boolean;
  readonly initialized: Partial<Why>;
  readonly ready: readonly ['True' | 'False', Partial<Why>];
  /** State of the container. */
  readonly trainer: Readonly<Record<string, unknown>>;
};

function patch(pod: Pod, now: string, { phase, sandbox, initialized, ready, trainer }: Told) {
  return {
    ...common(pod, phase, now),
    conditions: [
      condition(pod, now, 'PodReadyToStartContainers', sandbox ? 'True' : 'False'),
      condition(pod, now, 'Initialized', 'True', initialized),
      condition(pod, now, 'Ready', ...ready),
      condition(pod, now, 'ContainersReady', ...ready),
    ],
    containerStatuses: [containerStatus(pod, trainer)],
  };
}

function common(pod: Pod, phase: Told['phase'], now: string) {
  return { phase, observedGeneration: pod.metadata.generation, startTime: pod.status?.startTime ?? now };
}

function condition(
  pod: Pod,
  now: string,
  type: string,
  status: 'True' | 'False',
  why: Partial<Why> = {},
): object {
  const last = pod.status?.conditions?.find((one) => one.type === type);
  return {
    type,
    status,
    reason: why.reason ?? null,
    message: why.message ?? null,
    observedGeneration: pod.metadata.generation,
    lastTransitionTime: last?.status === status ? last.lastTransitionTime : now,
  };
}

function containerStatus(pod: Pod, state: Readonly<Record<string, unknown>>): object {
  const image = pod.spec?.containers.find(({ name }) => name === container)?.image;
  const isRunning = 'running' in state;
  const exists = isRunning || 'terminated' in state;
  return {
    name: container,
    image,
    imageID: exists ? `${image}@sha256:${'0'.repeat(64)}` : '',
    ...(exists ? { containerID: containerId(pod) } : {}),
    ready: isRunning,
    started: isRunning,
    restartCount: 0,
    lastState: {},
    state,
  };
}

function terminated(
  pod: Pod,
  { exitCode, reason, message }: Required<Pick<Failure, 'exitCode' | 'reason'>> & Pick<Failure, 'message'>,
  now: string,
): object {
  const text = typeof message === 'object' ? JSON.stringify(message) : message;
  return {
    exitCode,
    reason,
    ...(text === undefined ? {} : { message: text }),
    startedAt: reason === 'StartError' ? neverStarted : (trainerState(pod)?.running?.startedAt ?? now),
    finishedAt: now,
    containerID: containerId(pod),
  };
}

function containerId({ metadata: { uid = '' } }: Pod): string {
  return `containerd://${uid.replaceAll('-', '').padEnd(64, '0')}`;
}
