/**
 * How long a scrape of the operator takes: `make bench-scrape`, or `node test/bench/scrape.ts [RUNS]`. Over HTTPS, from
 * the request to the last byte, with the caches full of one Experiment and its Runs; only the API server is left out.
 */
import { cpus } from 'node:os';
import { pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Run } from '../../operator/controllers/kinds.ts';
import type { Job, Pod } from '../../operator/jobs/objects.ts';
import { AttemptMetrics } from '../../operator/metrics/attempt-metrics.ts';
import { StateMetrics } from '../../operator/metrics/state-metrics.ts';
import { labelValue, ownerUids } from '../../operator/runtime/cache.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import { RuntimeMetrics } from '../../operator/runtime/metrics.ts';
import { startServer } from '../../operator/server/server.ts';
import { ServerMetrics } from '../../operator/server/server-metrics.ts';
import { type Experiment, experiment as experimentSchema } from '../../src/api/experiment.ts';
import { plan } from '../../src/plan/plan.ts';
import { known } from '../operator/metrics/caches.ts';
import { asking } from '../operator/server/asking.ts';

const aimMilliseconds = 250;
const scrapes = 20;
/** Of the Runs, how many train and how many wait for a GPU; the others have ended. */
const [training, queued] = [100, 100];
const perSeed = 100;

const size = Number(process.argv[2] ?? 2000);
const study = studyOf(Math.ceil(size / perSeed));
const runs = runsOf(study).slice(0, size);
const caches = {
  experiments: known<Experiment>([study]),
  runs: known(runs, { owner: ownerUids }),
  jobs: known<Job>([]),
  pods: known(runs.filter(({ status }) => status?.phase === 'Running').map(podOf), {
    run: labelValue('destillml.io/run'),
  }),
};

const registry = new Registry();
collectDefaultMetrics({ register: registry });
const machinery = new RuntimeMetrics(registry);
for (const name of ['experiment', 'run']) machinery.controller(name, 8);
const attempts = new AttemptMetrics(registry);
const state = new StateMetrics(caches, (key) => attempts.failuresOf(key));
const server = await startServer(
  {
    health: { host: '127.0.0.1', port: 0 },
    main: { host: '127.0.0.1', port: 0 },
    tls: undefined,
    certificateHosts: ['127.0.0.1'],
    audience: 'destillml',
    progressInterval: 10_000,
  },
  {
    checks: {},
    reviews: {
      authenticate: async () => ({ username: 'prometheus', groups: [], extra: {} }),
      isAllowed: async () => true,
    },
    lookup: { run: () => undefined, job: () => undefined, pod: () => undefined },
    writeProgress: async () => false,
    metrics: async () => {
      const own = await registry.metrics();
      const parts = state.parts();
      return (function* () {
        yield `${own}\n`;
        yield* parts;
      })();
    },
    observer: new ServerMetrics(registry),
    clock: systemClock,
    log: pino({ level: 'silent' }),
  },
);

const ask = asking(server);
const milliseconds: number[] = [];
let text = '';
for (let scrape = 0; scrape < scrapes; scrape += 1) {
  const start = performance.now();
  ({ text } = await ask('GET', '/metrics', { token: 'prometheus' }));
  milliseconds.push(performance.now() - start);
}
await server.close();

const [first = 0] = milliseconds;
const sorted = milliseconds.toSorted((a, b) => a - b);
const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores; ${runs.length} Runs`);
console.log(
  `  series                ${String(series).padStart(8)}  (${(text.length / 2 ** 20).toFixed(1)} MiB)`,
);
console.log(`  scrape, first         ${first.toFixed(0).padStart(8)} ms`);
console.log(`  scrape, median        ${median.toFixed(0).padStart(8)} ms  (aim < ${aimMilliseconds} ms)`);
console.log(`  scrape, slowest       ${(sorted.at(-1) ?? 0).toFixed(0).padStart(8)} ms`);

/** `perSeed` Runs a seed; one more is the teacher. */
function studyOf(seeds: number): Experiment {
  const students = 4;
  return experimentSchema.parse({
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Experiment',
    metadata: { name: 'resnet-cifar100', namespace: 'vision-lab', uid: 'experiment', generation: 1 },
    spec: {
      dataset: { name: 'cifar100' },
      teacher: { model: 'resnet101' },
      students: Array.from({ length: students }, (_, index) => ({
        name: `small-${index}`,
        model: 'resnet18',
      })),
      distillation: Array.from({ length: perSeed / students - 1 }, (_, index) => ({
        name: `soft-targets-${index}`,
        softTargets: { temperature: index + 1 },
      })),
      seeds: Array.from({ length: seeds }, (_, index) => index),
      parallelism: 1000,
    },
  });
}

function runsOf(experiment: Experiment): readonly Run[] {
  return plan({ experiment, runs: [], now: new Date() }).create.map((run, index) => ({
    ...run,
    metadata: { ...run.metadata, uid: run.metadata.name },
    spec: { ...run.spec, suspend: false },
    status: statusOf(index, run.metadata.name),
  }));
}

function statusOf(index: number, name: string): NonNullable<Run['status']> {
  const time = '2026-11-24T12:00:00Z';
  const usage = { conditions: [], attempts: 2, preemptions: 1, gpuSeconds: 123_456, startTime: time };
  if (index >= training && index < training + queued) return { phase: 'Queued', conditions: [] };
  const progress = {
    epoch: 117,
    epochs: 600,
    step: 12,
    steps: 352,
    loss: 1.2345678901234567,
    trainAccuracy: 0.7654321098765432,
    validationAccuracy: 0.7123456789012345,
    bestValidationAccuracy: 0.7234567890123456,
    learningRate: 0.3210987654321098,
    imagesPerSecond: 4321.098765432109,
    etaSeconds: 1234.5,
    updatedAt: time,
  };
  const pods = [{ uid: name, name: `${name}-x`, startTime: time, gpuSeconds: 60 }];
  const history = Array.from({ length: 120 }, (_, epoch) => 0.7123456789012345 - 1 / (epoch + 2));
  if (index < training) return { phase: 'Running', ...usage, pods, progress, history };
  return {
    phase: 'Succeeded',
    ...usage,
    pods,
    progress,
    history,
    completionTime: time,
    result: {
      bestEpoch: 588,
      validationAccuracy: 0.7234567890123456,
      testAccuracy: 0.7 + index / 100_000,
      testAccuracyTop5: 0.9234567890123456,
      testLoss: 1.0123456789,
      parameters: 11_220_132,
      flops: 1_113_876_480,
      epochs: 600,
      trainingSeconds: 45_678.9012345,
      imagesPerSecond: 4321.098765432109,
      artifacts: `/artifacts/vision-lab/resnet-cifar100/${name}`,
    },
  };
}

function podOf({ metadata: { name, namespace = '' } }: Run): Pod {
  return {
    metadata: {
      name: `${name}-x`,
      namespace,
      uid: name,
      labels: { 'destillml.io/run': name },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid: 'job', controller: true }],
      annotations: { 'destillml.io/gpus': '1' },
    },
    spec: { nodeName: 'gpu-1', containers: [] },
    status: { phase: 'Running' },
  };
}
