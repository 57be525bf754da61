import type { JobConfig } from '../../../operator/jobs/config.ts';
import { defaultJobConfig } from '../../../operator/jobs/config.ts';
import { jobFor } from '../../../operator/jobs/job.ts';
import type { ClusterEvent, Job, ObjectCondition, Pod, Workload } from '../../../operator/jobs/objects.ts';
import { type Experiment, experiment as experimentSchema } from '../../../src/api/experiment.ts';
import { type Run, type RunResult, type RunStatus, run as runSchema } from '../../../src/api/run.ts';

/** Ten minutes and a few seconds after `started`. */
export const now = new Date('2026-11-24T12:11:05Z');
export const created = '2026-11-24T12:00:30Z';
export const started = '2026-11-24T12:01:00Z';
export const finished = '2026-11-24T12:09:20Z';
export const earlier = '2026-11-24T11:00:00Z';

export const config: JobConfig = {
  ...defaultJobConfig,
  images: { cpu: 'registry.example/trainer:1.0-cpu', gpu: 'registry.example/trainer:1.0-gpu' },
  push: {
    ...defaultJobConfig.push,
    url: 'https://destillml.destillml-system.svc:8443',
    ca: 'authority in PEM',
  },
};

export const claim = { persistentVolumeClaim: { claimName: 'experiments', path: 'studies' } };

export function experimentWith(
  spec: Record<string, unknown> = {},
  metadata: Record<string, unknown> = {},
): Experiment {
  return experimentSchema.parse({
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Experiment',
    metadata: { name: 'study', namespace: 'lab', uid: 'experiment-uid', ...metadata },
    spec: {
      dataset: { name: 'mnist' },
      teacher: { model: 'resnet56' },
      students: [{ name: 'small', model: 'resnet8' }],
      distillation: [{ name: 'soft', softTargets: {} }],
      storage: claim,
      pod: { gpus: 2 },
      ...spec,
    },
  });
}

/** A baseline, unless the parameters say otherwise. */
export function runWith(
  parameters: Record<string, unknown> = {},
  { spec = {}, status }: { spec?: Partial<Run['spec']>; status?: Partial<RunStatus> } = {},
): Run {
  return runSchema.parse({
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Run',
    metadata: { name: 'study-run', namespace: 'lab', uid: 'run-uid', generation: 2 },
    spec: {
      experiment: 'study',
      parameters: {
        role: 'baseline',
        student: 'small',
        model: 'resnet8',
        seed: 7,
        dataset: { name: 'mnist' },
        training: {},
        ...parameters,
      },
      suspend: false,
      ...spec,
    },
    ...(status ? { status } : {}),
  });
}

export const distilled = {
  role: 'distilled',
  arm: 'soft',
  teacherRun: 'study-teacher',
  objective: { softTargets: {} },
};

export const result: RunResult = {
  bestEpoch: 187,
  validationAccuracy: 0.76,
  testAccuracy: 0.7561,
  testAccuracyTop5: 0.93,
  testLoss: 0.9,
  parameters: 78_042,
  flops: 25_000_000,
  epochs: 240,
  trainingSeconds: 480,
  imagesPerSecond: 4310,
  artifacts: '/artifacts/studies/lab/study/study-run',
};

/** The Run's Job as the API server and the Job controller leave it. */
export function jobWith({
  conditions = [],
  suspend = false,
  metadata = {},
  experiment = experimentWith(),
  run = runWith(),
}: {
  conditions?: readonly ObjectCondition[];
  suspend?: boolean;
  metadata?: Record<string, unknown>;
  experiment?: Experiment;
  run?: Run;
} = {}): Job {
  const job = jobFor(run, experiment, config);
  return {
    ...job,
    metadata: { ...job.metadata, uid: 'job-uid', creationTimestamp: created, ...metadata },
    spec: { ...job.spec!, suspend },
    status: {
      conditions: conditions.map(({ type, status, reason, message }) => ({
        type,
        status,
        reason: reason ?? '',
        message: message ?? '',
        lastProbeTime: finished,
        lastTransitionTime: finished,
      })),
      ...(suspend ? {} : { startTime: created }),
    },
  };
}

export const queuedExperiment = experimentWith({ queue: 'vision' });

export function queuedJob(options: { suspend: boolean; conditions?: readonly ObjectCondition[] }): Job {
  return jobWith({ ...options, experiment: queuedExperiment });
}

export type PodOptions = {
  readonly name?: string;
  readonly created?: string;
  readonly node?: string | undefined;
  readonly metadata?: Record<string, unknown>;
  readonly status?: Pod['status'];
  readonly experiment?: Experiment;
};

/** A pod of the Run's Job, bound to a node, of which the kubelet has said nothing yet. */
export function podWith({
  name = 'study-run-abcde',
  created: creationTimestamp = created,
  node = 'gpu-1',
  metadata = {},
  status = {},
  experiment = experimentWith(),
}: PodOptions = {}): Pod {
  const { template } = jobFor(runWith(), experiment, config).spec!;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'lab',
      uid: `uid-of-${name}`,
      creationTimestamp,
      labels: {
        ...template.metadata!.labels,
        'batch.kubernetes.io/controller-uid': 'job-uid',
        'batch.kubernetes.io/job-name': 'study-run',
      },
      annotations: template.metadata!.annotations!,
      finalizers: ['batch.kubernetes.io/job-tracking'],
      ownerReferences: [
        {
          apiVersion: 'batch/v1',
          kind: 'Job',
          name: 'study-run',
          uid: 'job-uid',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      ...metadata,
    },
    spec: { ...template.spec!, ...(node ? { nodeName: node } : {}) },
    status: { phase: 'Pending', ...status },
  } as Pod;
}

/** What the scheduler says of a pod that it cannot place. */
export function unschedulable(message: string): PodOptions {
  return {
    node: '',
    status: {
      phase: 'Pending',
      conditions: [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'Unschedulable',
          message,
          lastTransitionTime: created,
        },
      ],
    },
  };
}

type ContainerState = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]['state'];

function containerStatus(state: NonNullable<ContainerState>) {
  return [
    {
      name: 'trainer',
      image: 'registry.example/trainer:1.0-gpu',
      imageID: '',
      ready: state.running !== undefined,
      started: state.running !== undefined,
      restartCount: 0,
      lastState: {},
      state,
    },
  ];
}

export function waiting(reason: string, message?: string): PodOptions {
  return {
    status: {
      phase: 'Pending',
      startTime: created,
      conditions: [
        { type: 'PodReadyToStartContainers', status: 'True', lastTransitionTime: created },
        { type: 'Initialized', status: 'True', lastTransitionTime: created },
        {
          type: 'Ready',
          status: 'False',
          reason: 'ContainersNotReady',
          message: 'containers with unready status: [trainer]',
          lastTransitionTime: created,
        },
        { type: 'PodScheduled', status: 'True', lastTransitionTime: created },
      ],
      containerStatuses: containerStatus({
        waiting: { reason, ...(message === undefined ? {} : { message }) },
      }),
    },
  };
}

export function running(ready = 'True'): PodOptions {
  return {
    status: {
      phase: 'Running',
      startTime: created,
      conditions: [
        { type: 'Ready', status: ready, lastTransitionTime: started },
        { type: 'PodScheduled', status: 'True', lastTransitionTime: created },
      ],
      containerStatuses: containerStatus({ running: { startedAt: started } }),
    },
  };
}

/** A pod whose container has ended. */
export function terminated(
  exitCode: number,
  message?: string | object,
  more: {
    reason?: string;
    disruption?: readonly [reason: string, message: string];
    podReason?: string;
    podMessage?: string;
  } = {},
): PodOptions {
  const text = typeof message === 'object' ? JSON.stringify(message) : message;
  return {
    status: {
      phase: exitCode === 0 ? 'Succeeded' : 'Failed',
      startTime: created,
      ...(more.podReason === undefined ? {} : { reason: more.podReason }),
      ...(more.podMessage === undefined ? {} : { message: more.podMessage }),
      conditions: [
        ...(more.disruption
          ? [
              {
                type: 'DisruptionTarget',
                status: 'True',
                reason: more.disruption[0],
                message: more.disruption[1],
                lastTransitionTime: '2026-11-24T12:08:00Z',
              },
            ]
          : []),
        {
          type: 'Ready',
          status: 'False',
          reason: exitCode === 0 ? 'PodCompleted' : 'PodFailed',
          lastTransitionTime: finished,
        },
        { type: 'PodScheduled', status: 'True', lastTransitionTime: created },
      ],
      containerStatuses: containerStatus({
        terminated: {
          exitCode,
          reason: more.reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
          startedAt: started,
          finishedAt: finished,
          containerID: 'containerd://0123',
          ...(text === undefined ? {} : { message: text }),
        },
      }),
    },
  };
}

export function failedWord(code: string, message: string) {
  return { outcome: 'failed', code, message };
}

export function event(uid: string, reason: string, message: string, lastTimestamp = created): ClusterEvent {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `event.${reason}`, namespace: 'lab' },
    involvedObject: { uid },
    type: 'Warning',
    reason,
    message,
    lastTimestamp,
    count: 3,
  };
}

export type WorkloadConditions = Readonly<
  Record<string, readonly [status: 'True' | 'False', reason: string, message: string]>
>;

export function workloadWith(
  conditions: WorkloadConditions,
  {
    version = 'v1beta2',
    active = true,
    checks,
  }: { version?: string; active?: boolean; checks?: NonNullable<Workload['status']>['admissionChecks'] } = {},
): Workload {
  const object = {
    apiVersion: `kueue.x-k8s.io/${version}`,
    kind: 'Workload',
    metadata: {
      name: 'job-study-run-1a2b3',
      namespace: 'lab',
      labels: { 'kueue.x-k8s.io/job-uid': 'job-uid' },
    },
    spec: { active, queueName: 'vision', podSets: [{ name: 'main', count: 1 }] },
    status: {
      ...(checks ? { admissionChecks: checks } : {}),
      conditions: Object.entries(conditions).map(([type, [status, reason, message]]) => ({
        type,
        status,
        reason,
        message,
        lastTransitionTime: finished,
        observedGeneration: 1,
      })),
    },
  };
  return object;
}
