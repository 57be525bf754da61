import { Registry } from 'prom-client';
import type { Experiment, Run } from '../../../operator/controllers/kinds.ts';
import type { Job, Pod } from '../../../operator/jobs/objects.ts';
import { AttemptMetrics } from '../../../operator/metrics/attempt-metrics.ts';
import { StateMetrics } from '../../../operator/metrics/state-metrics.ts';
import { labelValue, ownerUids } from '../../../operator/runtime/cache.ts';
import { experiment as experimentSchema } from '../../../src/api/experiment.ts';
import type { RunStatus } from '../../../src/api/run.ts';
import { plan } from '../../../src/plan/plan.ts';
import { TrainerMetrics } from '../../../trainer-image/metrics/trainer-metrics.ts';
import { known } from '../../operator/metrics/caches.ts';
import { Search } from './search.ts';

export const experiments = 50;
/** Of each Experiment, and its teacher. */
export const runsEach = 30;
/** Seconds that a Run waits for a GPU, starts, and trains. */
const [waits, starts, trains] = [1200, 60, 3600];
/** Runs of an Experiment that train at the same time. */
const atOnce = 4;
const epochs = 200;

/** What is scraped of a program: what it says, and the labels that Prometheus gives it. */
export type Scrape = { readonly text: string; readonly target: Readonly<Record<string, string>> };

type Course = { readonly created: number; readonly started: number; readonly ended: number };

/** A lab over a day, as the exporters of the operator and of the trainers see it. Times are in seconds since 1970. */
export class Lab {
  readonly #experiments = known<Experiment>([]);
  readonly #runs = known<Run>([], { owner: ownerUids });
  readonly #jobs = known<Job>([]);
  readonly #pods = known<Pod>([], { run: labelValue('destillml.io/run') });
  readonly #registry = new Registry();
  readonly #attempts = new AttemptMetrics(this.#registry);
  readonly #state = new StateMetrics(
    { experiments: this.#experiments, runs: this.#runs, jobs: this.#jobs, pods: this.#pods },
    (run) => this.#attempts.failuresOf(run),
  );
  /** One more Experiment, which searches. */
  readonly #search: Search;
  readonly #studies: readonly { readonly experiment: Experiment; readonly runs: readonly Run[] }[];

  /** @param start when the day begins @param length of the day, in seconds */
  constructor(start: number, length: number) {
    this.#studies = Array.from({ length: experiments }, (_, index) =>
      studyOf(index, start + Math.round((index * length * 0.9) / experiments)),
    );
    this.#search = new Search(start + length * 0.8);
    this.#attempts.follow({ runs: this.#runs, jobs: this.#jobs, pods: this.#pods });
  }

  #see(search: Search, time: number): void {
    const { experiment } = search;
    if (seconds(experiment.metadata.creationTimestamp) > time) return;
    const status = { phase: 'Running' as const, conditions: [], studies: search.studies(time) };
    this.#experiments.cache.set({ ...experiment, status } as Experiment);
    for (const { run, status: its } of search.at(time)) this.#runs.cache.set({ ...run, status: its } as Run);
  }

  /** What is scraped at a moment; moments have to be asked for in order. */
  async at(time: number): Promise<readonly Scrape[]> {
    const live: Run[] = [];
    for (const { experiment, runs } of this.#studies) {
      const created = seconds(experiment.metadata.creationTimestamp);
      if (created > time) continue;
      this.#experiments.cache.set({
        ...experiment,
        status: { phase: 'Running', conditions: [], startTime: text(created) },
      } as Experiment);
      for (const [index, run] of runs.entries()) {
        const course = courseOf(created, index);
        const status = statusOf(run, index, course, time);
        const pod = podOf(run, course);
        if (status.phase === 'Running') {
          live.push(run);
          this.#pods.cache.set(pod);
        } else this.#pods.cache.delete(pod);
        this.#jobs.cache.set(jobOf(run, course));
        this.#runs.cache.set({ ...run, status } as Run);
      }
    }
    this.#see(this.#search, time);
    const own = [await this.#registry.metrics(), '\n', ...this.#state.parts()].join('');
    return [
      { text: own, target: { job: 'destillml-operator', instance: '10.0.0.1:8443', pod: 'destillml-0' } },
      ...(await Promise.all(
        live.map(async (run) => ({ text: await trainerText(run), target: targetOf(run) })),
      )),
      { text: gpusText(live), target: { job: 'dcgm', instance: '10.0.3.1:9400' } },
    ];
  }
}

function studyOf(
  index: number,
  created: number,
): { readonly experiment: Experiment; readonly runs: readonly Run[] } {
  const experiment = experimentSchema.parse({
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Experiment',
    metadata: {
      name: `resnet-cifar100-${index}`,
      namespace: `team-${index % 5}`,
      uid: `experiment-${index}`,
      generation: 1,
      creationTimestamp: text(created),
    },
    spec: {
      dataset: { name: 'cifar100' },
      teacher: { model: 'resnet101' },
      students: ['small', 'smaller'].map((name) => ({ name, model: 'resnet18' })),
      distillation: Array.from({ length: 4 }, (_, arm) => ({
        name: `soft-targets-${arm}`,
        softTargets: { temperature: arm + 1 },
      })),
      seeds: [1, 2, 3],
      training: { epochs },
      parallelism: 100,
    },
  });
  const runs = plan({ experiment, runs: [], now: new Date(created * 1000) }).create.map((run) => ({
    ...run,
    metadata: {
      ...run.metadata,
      uid: `${index}-${run.metadata.name}`,
      generation: 1,
      creationTimestamp: text(created),
    },
    spec: { ...run.spec, suspend: false },
  })) as readonly Run[];
  return { experiment, runs };
}

/** One after the other on a few GPUs. */
function courseOf(created: number, index: number): Course {
  const started = created + waits + starts + Math.floor(index / atOnce) * (trains + starts);
  return { created, started, ended: started + trains };
}

function statusOf(run: Run, index: number, { started, ended }: Course, time: number): RunStatus {
  if (time < started - starts - waits) return { phase: 'Waiting', conditions: [] };
  if (time < started - starts) return { phase: 'Queued', reason: 'InQueue', conditions: [] };
  if (time < started) return { phase: 'Starting', conditions: [] };
  const share = Math.min((time - started) / trains, 1);
  const epoch = Math.floor(share * epochs);
  const accuracy = 0.7 * (1 - Math.exp(-4 * share)) + index / 1000;
  const progress = {
    epoch,
    epochs,
    step: 0,
    steps: 352,
    trainAccuracy: accuracy,
    validationAccuracy: accuracy,
    bestValidationAccuracy: accuracy,
    imagesPerSecond: 4321,
    etaSeconds: (1 - share) * trains,
    updatedAt: text(time),
  };
  const name = podName(run);
  const pods = [{ uid: name, name, startTime: text(started), gpuSeconds: Math.round(share * trains) }];
  const usage = {
    conditions: [],
    attempts: 1,
    gpuSeconds: Math.round(share * trains),
    pods,
    startTime: text(started),
  };
  const history = Array.from(
    { length: Math.floor(epoch / 2) },
    (_, at) => 0.7 * (1 - Math.exp((-8 * at) / epochs)),
  );
  if (time < ended) return { phase: 'Running', ...usage, progress, history };
  if (index % 29 === 28) {
    const message = 'The loss is no number any more in epoch 200; lower the learning rate.';
    return {
      phase: 'Failed',
      reason: 'TrainingDiverged',
      message,
      ...usage,
      progress,
      history,
      completionTime: text(ended),
    };
  }
  const result = {
    bestEpoch: epochs,
    validationAccuracy: accuracy,
    testAccuracy: accuracy - 0.01,
    testAccuracyTop5: 0.92,
    testLoss: 1,
    parameters: 11_220_132,
    flops: 1_113_876_480,
    epochs,
    trainingSeconds: trains,
    imagesPerSecond: 4321,
    artifacts: '/artifacts',
  };
  return { phase: 'Succeeded', ...usage, progress, history, completionTime: text(ended), result };
}

function podName(run: Run): string {
  return `${run.metadata.name}-x`;
}

function podOf(run: Run, { started }: Course): Pod {
  const { name, namespace = '' } = run.metadata;
  return {
    metadata: {
      name: podName(run),
      namespace,
      uid: podName(run),
      creationTimestamp: text(started - starts),
      labels: { 'destillml.io/run': name },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid: 'job', controller: true }],
      annotations: { 'destillml.io/gpus': '1' },
    },
    spec: { nodeName: 'gpu-1', containers: [] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: text(started - starts) }],
    },
  };
}

function jobOf(run: Run, { started }: Course): Job {
  const { name, namespace = '' } = run.metadata;
  const labels = { 'kueue.x-k8s.io/queue-name': 'gpus' };
  const creationTimestamp = text(started - starts - waits);
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace, creationTimestamp, labels } };
}

/** As a trainer has it that has done some steps. */
async function trainerText(run: Run): Promise<string> {
  const { name, namespace = '' } = run.metadata;
  const registry = new Registry();
  const trainer = new TrainerMetrics(registry, { namespace, experiment: run.spec.experiment, run: name });
  trainer.observe({
    kind: 'step',
    images: 128,
    correct: 88,
    loss: 1.5,
    crossEntropy: 1.25,
    distillation: 0.25,
    learningRate: 0.25,
    seconds: 0.1,
    waited: 0.01,
    tensors: 812,
    tensorBytes: 210_000_000,
  });
  trainer.observe({ kind: 'evaluation', seconds: 8 });
  const rates = { learningRate: 0.25, imagesPerSecond: 4321 };
  trainer.observe({
    kind: 'epoch',
    record: {
      epoch: 1,
      loss: 1.5,
      crossEntropy: 1.25,
      trainAccuracy: 0.55,
      validationLoss: 1.5,
      validationAccuracy: 0.58,
      seconds: 18,
      ...rates,
    },
    progress: { epoch: 1, epochs, step: 0, steps: 352, updatedAt: text(0), ...rates },
  });
  trainer.observe({ kind: 'checkpoint', seconds: 1 });
  return await registry.metrics();
}

function targetOf(run: Run): Scrape['target'] {
  const { namespace = '' } = run.metadata;
  return { job: 'destillml-trainer', instance: podName(run), namespace, pod: podName(run) };
}

const gpuMetrics = [
  'DCGM_FI_DEV_GPU_UTIL',
  'DCGM_FI_DEV_FB_USED',
  'DCGM_FI_DEV_POWER_USAGE',
  'DCGM_FI_DEV_SM_CLOCK',
  'DCGM_FI_DEV_GPU_TEMP',
  'DCGM_FI_DEV_XID_ERRORS',
  'DCGM_FI_PROF_PIPE_TENSOR_ACTIVE',
];

function gpusText(live: readonly Run[]): string {
  const lines = gpuMetrics.flatMap((metric) => [
    `# TYPE ${metric} gauge`,
    ...live.map((run, index) => {
      const place = `exported_namespace="${run.metadata.namespace}",exported_pod="${podName(run)}"`;
      return `${metric}{gpu="${index}",${place}} ${index % 9 === 0 ? 1 : 90}`;
    }),
  ]);
  return `${lines.join('\n')}\n`;
}

function text(time: number): string {
  return new Date(time * 1000).toISOString();
}

function seconds(time: string | undefined): number {
  return Date.parse(time ?? '') / 1000;
}
