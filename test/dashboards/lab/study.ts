import type { Experiment, Run } from '../../../operator/controllers/kinds.ts';
import type { Job, Pod } from '../../../operator/jobs/objects.ts';
import {
  type Experiment as ApiExperiment,
  type ExperimentStatus,
  experiment as schema,
} from '../../../src/api/experiment.ts';
import type { ExplanationResult, RunPod, RunProgress, RunResult, RunStatus } from '../../../src/api/run.ts';
import { plan } from '../../../src/plan/plan.ts';

/** Seconds since the start of the hour, which is that of 1970, as Kubernetes writes them. */
export function at(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** Succeeds but for what still trains or waits. */
export const cifar = schema.parse({
  apiVersion: 'destillml.io/v1alpha1',
  kind: 'Experiment',
  metadata: {
    name: 'cifar',
    namespace: 'lab',
    uid: 'uid-of-cifar',
    generation: 1,
    creationTimestamp: at(-4000),
  },
  spec: {
    dataset: { name: 'cifar100' },
    teacher: { model: 'resnet56' },
    students: [{ name: 'small', model: 'resnet8' }],
    distillation: [
      { name: 'soft', softTargets: {} },
      { name: 'hints', hints: {}, softTargets: {} },
    ],
    seeds: [1, 2],
    queue: 'lab',
    explain: { images: 4 },
  },
});

/** Fails, as its teacher does. */
export const digits = schema.parse({
  apiVersion: 'destillml.io/v1alpha1',
  kind: 'Experiment',
  metadata: {
    name: 'digits',
    namespace: 'speech',
    uid: 'uid-of-digits',
    generation: 1,
    creationTimestamp: at(-60),
  },
  spec: {
    dataset: { name: 'mnist' },
    teacher: { model: 'resnet20' },
    students: [{ name: 'small', model: 'resnet8' }],
    seeds: [1],
  },
});

/** The Runs that are there: of each Experiment as the plan has them, by the name that is read on dashboards. */
export function runsOf(experiment: ApiExperiment, there: readonly string[]): ReadonlyMap<string, Run> {
  const { create } = plan({ experiment, runs: [], now: new Date(0) });
  const named = create.map((run): [string, Run] => [
    shownAs(run),
    {
      ...run,
      metadata: {
        ...run.metadata,
        uid: `uid-of-${shownAs(run)}`,
        generation: 1,
        creationTimestamp: at(-60),
      },
      spec: { ...run.spec, suspend: false },
    },
  ]);
  return new Map(named.filter(([name]) => there.includes(name)));
}

/** Names of Runs end with a hash of all that they are of, which would change with any default of the spec. */
export function shownAs({ spec: { experiment, parameters } }: Pick<Run, 'spec'>): string {
  const { role, arm, student, seed } = parameters;
  return [experiment, arm ?? role, ...(student === undefined ? [] : [student]), seed].join('-');
}

/** Of the sweep of cifar: what came of the arms soft and hints at the end of the hour. */
export const studies: NonNullable<ExperimentStatus['studies']> = [
  {
    name: 'small.soft',
    state: 'Ended',
    reason: 'MaxRuns',
    message: 'All have ended.',
    runs: { Succeeded: 2 },
    best: {
      run: 'cifar-soft-small-2',
      number: 2,
      validationAccuracy: 0.74,
      values: { 'training.optimizer.learningRate': 0.5, 'distillation.softTargets.temperature': 4 },
    },
  },
  {
    name: 'small.hints',
    state: 'Searching',
    reason: 'Training',
    message: 'One trains.',
    runs: { Running: 1, Queued: 1 },
    best: {
      run: 'cifar-hints-small-1',
      number: 1,
      validationAccuracy: 0.6,
      values: { 'training.optimizer.learningRate': 0.1, 'distillation.softTargets.temperature': 4 },
    },
  },
];

/** As a Run of a search that tries these values: the number of the trial is the seed. */
export function swept(run: Run, learningRate: number, temperature: number): Run {
  const { training, objective, arm, seed } = run.spec.parameters;
  const parameters = {
    ...run.spec.parameters,
    training: { ...training, optimizer: { ...training.optimizer, learningRate } },
    objective: { ...objective, softTargets: { ...objective?.softTargets, temperature } },
  };
  const values = {
    'training.optimizer.learningRate': learningRate,
    'distillation.softTargets.temperature': temperature,
  };
  const trial = { study: `small.${arm}`, number: seed, values, summary: '' };
  return { ...run, spec: { ...run.spec, parameters, trial } } as Run;
}

/** The Run that explains what the first of them, the teacher, and the others look at. */
export function explanationOf(experiment: ApiExperiment, [teacher, ...others]: readonly Run[]): Run {
  const { explain, dataset, training } = experiment.spec;
  if (teacher === undefined || explain === undefined) throw new Error('there is nothing to explain');
  const { metadata, spec } = teacher;
  return {
    ...teacher,
    metadata: {
      ...metadata,
      name: `${experiment.metadata.name}-explanation-s1`,
      uid: `uid-of-${experiment.metadata.name}-explanation-1`,
    },
    spec: {
      ...spec,
      parameters: {
        role: 'explanation',
        stage: 'explanation',
        model: spec.parameters.model,
        seed: 1,
        dataset,
        training,
        teacherRun: metadata.name,
        explanation: { ...explain, networks: others.map((run) => run.metadata.name) },
      },
    },
  };
}

/** By map: of the teacher, the baseline, both Runs of soft and the first of hints. */
export const looks: ExplanationResult = {
  images: 4,
  seconds: 350,
  artifacts: '/artifacts',
  maps: [
    {
      map: 'gradCam',
      agreement: [1, 0.5, 0.75, 0.85, 0.7],
      topOverlap: [1, 0.4, 0.5, 0.6, 0.45],
      insertion: [0.72, 0.55, 0.6, 0.64, 0.58],
      deletion: [0.12, 0.2, 0.18, 0.16, 0.17],
      sane: true,
    },
    {
      map: 'lime',
      agreement: [1, 0.4, 0.5, 0.6, 0.45],
      topOverlap: [1, 0.35, 0.4, 0.5, 0.42],
      insertion: [0.65, 0.5, 0.52, 0.56, 0.51],
      deletion: [0.15, 0.24, 0.22, 0.2, 0.21],
    },
    {
      map: 'expectedGradients',
      agreement: [1, -0.05, 0.1, 0.2, 0.05],
      topOverlap: [1, 0.2, 0.24, 0.28, 0.22],
      insertion: [0.6, 0.45, 0.46, 0.5, 0.47],
      deletion: [0.1, 0.16, 0.15, 0.13, 0.14],
    },
    {
      map: 'kernelShap',
      agreement: [1, 0.3, 0.45, 0.55, 0.35],
      topOverlap: [1, 0.3, 0.38, 0.42, 0.33],
      insertion: [0.68, 0.52, 0.55, 0.59, 0.54],
      deletion: [0.14, 0.23, 0.2, 0.18, 0.19],
    },
  ],
};

export function withStatus<Kind extends Experiment | Run>(object: Kind, status: Kind['status']): Kind {
  return { ...object, status };
}

/** An attempt: when its pod got a node, and when its trainer started. */
export type Attempt = {
  readonly name: string;
  /** Of the pod; that of the Job unless it is told. */
  readonly created?: number;
  readonly scheduled: number;
  readonly started: number;
};

export function podOf(run: Run, { name, created, scheduled, started }: Attempt): Pod {
  const { namespace = '', name: runName } = run.metadata;
  return {
    metadata: {
      name,
      namespace,
      uid: `uid-of-${name}`,
      creationTimestamp: at(created ?? scheduled),
      labels: { 'destillml.io/run': runName },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: runName, uid: 'job', controller: true }],
      annotations: { 'destillml.io/gpus': '1' },
    },
    spec: { nodeName: 'gpu-1', containers: [] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: at(scheduled) }],
      containerStatuses: [
        {
          name: 'trainer',
          image: 'trainer',
          imageID: 'trainer',
          ready: true,
          restartCount: 0,
          state: { running: { startedAt: at(started) } },
        },
      ],
    },
  };
}

export function jobOf(run: Run, created: number, queue: string | undefined): Job {
  const { namespace = '', name } = run.metadata;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      namespace,
      name,
      creationTimestamp: at(created),
      labels: queue === undefined ? {} : { 'kueue.x-k8s.io/queue-name': queue },
    },
  };
}

/** What the status of a Run has of an attempt. @param ended when it did, if it has, and how */
export function recordOf(
  { name, started }: Attempt,
  gpuSeconds: number,
  ended?: { readonly at: number; readonly outcome: NonNullable<RunPod['outcome']> },
): RunPod {
  return {
    uid: `uid-of-${name}`,
    name,
    startTime: at(started),
    gpuSeconds,
    ...(ended === undefined ? {} : { endTime: at(ended.at), outcome: ended.outcome }),
  };
}

/** Used so far, by the records. */
export function usage(pods: readonly RunPod[]): Partial<RunStatus> {
  return {
    attempts: pods.length,
    preemptions: pods.filter(({ outcome }) => outcome === 'Preempted').length,
    gpuSeconds: pods.reduce((sum, { gpuSeconds }) => sum + gpuSeconds, 0),
    pods: [...pods],
    ...(pods[0]?.startTime === undefined ? {} : { startTime: pods[0].startTime }),
  };
}

export function progressOf(
  epoch: number,
  [train, validation]: readonly [train: number, validation: number],
  imagesPerSecond: number,
  updated: number,
): RunProgress {
  return {
    epoch,
    epochs: 60,
    step: 0,
    steps: 480,
    trainAccuracy: train,
    validationAccuracy: validation,
    bestValidationAccuracy: validation,
    imagesPerSecond,
    etaSeconds: 900,
    updatedAt: at(updated),
  };
}

export function resultOf(
  kind: 'teacher' | 'student',
  measured: Pick<
    RunResult,
    'validationAccuracy' | 'testAccuracy' | 'testAccuracyTop5' | 'trainingSeconds' | 'imagesPerSecond'
  >,
): RunResult {
  const size =
    kind === 'teacher'
      ? { parameters: 860_000, flops: 129_000_000 }
      : { parameters: 280_000, flops: 42_000_000 };
  return { bestEpoch: 59, testLoss: 1, epochs: 60, artifacts: '/artifacts', ...size, ...measured };
}
