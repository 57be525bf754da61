/**
 * What the operator adds to the cost of Jobs: `make bench-operator`, or
 * `node test/bench/operator.ts [--seconds N] [--sweep TRIALS] [RUNS…]`; `--alone` leaves the bare Jobs out; of 0 trials or 0 Runs
 * nothing is measured.
 *
 * A real control plane, scheduler and Job controller, none of them held back; kwok plays the nodes, where a pod runs
 * for ten seconds: so long that it is not the two cores of a small machine that are measured. As many bare Jobs of the same pods, at the same parallelism, are the peer; each contestant has a
 * control plane of its own that has done nothing before.
 *
 * The sweep is one study by ASHA, whose Runs pause at rungs and are trained on. Each time that a Run trains it has a Job, so
 * what it costs is told by such segments, too.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { jobs } from '../../operator/controllers/kinds.ts';
import { defaultJobConfig } from '../../operator/jobs/config.ts';
import { jobFor } from '../../operator/jobs/job.ts';
import { conditionTrue, type Job } from '../../operator/jobs/objects.ts';
import { Cache } from '../../operator/runtime/cache.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import { ListWatch } from '../../operator/runtime/list-watch.ts';
import { type Experiment, experiment as experimentSchema } from '../../src/api/experiment.ts';
import { runManifest } from '../../src/plan/manifest.ts';
import { plan } from '../../src/plan/plan.ts';
import type { Client } from '../cluster/client.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { waitFor } from '../cluster/wait.ts';
import { trained } from '../integration/kubelet.ts';
import { clientOn, connect } from '../integration/runtime-fixtures.ts';
import { claim, startOperator, total } from './operator-process.ts';

const parallelism = 100;
const ofSweep = { parallelism: 200, epochs: 90, minEpochs: 10, eta: 3 };
const patience = 3_600_000;
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    sweep: { type: 'string', default: '2000' },
    alone: { type: 'boolean', default: false },
  },
});
const runSeconds = Number(options.seconds);
const trials = Number(options.sweep);
const sizes = (positionals.length > 0 ? positionals.map(Number) : [1000, 5000]).filter((size) => size > 0);

/** Of the operator, over one Experiment. */
type Figures = {
  readonly seconds: number;
  /** By verb and resource. */
  readonly writes: Writes;
  /** The Experiment as JSON, in bytes. */
  readonly bytes: number;
  readonly p50: number;
  readonly p99: number;
  readonly residentMiB: number;
  readonly eventsPerSecond: number;
  readonly cpuSeconds: number;
};

console.log(
  `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores; parallelism ${parallelism}, a pod runs for ${runSeconds} s`,
);
const costs: number[] = [];
for (const size of sizes) {
  const study = studyOf(size);
  const bare = options.alone ? undefined : await alone((controlPlane) => bareJobs(controlPlane, study, size));
  const ours = await alone((controlPlane) => experiment(controlPlane, study));
  costs.push((1000 * ours.cpuSeconds) / size);
  show(size, bare, ours);
}
const [first, second] = costs;
if (first !== undefined && second !== undefined) {
  const growth = (100 * (second / first - 1)).toFixed(1);
  console.log(`\nCPU time of the operator per Run: ${growth} % more at ${sizes[1]} Runs (aim ≤ 20 %)`);
}

if (trials > 0) {
  const ours = await alone((controlPlane) => experiment(controlPlane, sweepOf(trials)));
  const jobs = ours.writes['POST jobs'] ?? 0;
  show(
    trials,
    undefined,
    ours,
    `${trials} trials of a sweep by ASHA, ${ofSweep.parallelism} at a time, in ${jobs} segments`,
  );
  row('API writes per segment', (sum(ours.writes) / jobs).toFixed(2));
  row('CPU time of the operator per segment', `${((1000 * ours.cpuSeconds) / jobs).toFixed(1)} ms`);
  const cost = (1000 * ours.cpuSeconds) / trials;
  if (first !== undefined) {
    const more = (cost: number) => `${(100 * (cost / first - 1)).toFixed(1)} %`;
    row(`more CPU than per Run of ${sizes[0]}`, more(cost), '(aim ≤ 20 %)');
    row('the same per segment', more((1000 * ours.cpuSeconds) / jobs));
  }
}

function row(name: string, value: string, aim = ''): void {
  console.log(`  ${name.padEnd(36)} ${value.padStart(12)}  ${aim}`.trimEnd());
}

function show(
  size: number,
  bare: number | undefined,
  ours: Figures,
  title = `${size} Runs in one Experiment`,
): void {
  console.log(`\n${title}`);
  if (bare !== undefined) row('bare Jobs', `${bare.toFixed(1)} s`);
  row('the Experiment', `${ours.seconds.toFixed(1)} s`);
  if (bare !== undefined) row('ratio', (ours.seconds / bare).toFixed(2), '(aim ≤ 1.25)');
  row('API writes per Run, Events apart', (sum(ours.writes) / size).toFixed(2), '(aim ≤ 6)');
  for (const [kind, count] of Object.entries(ours.writes)) row(`  ${kind}`, (count / size).toFixed(2));
  row('the Experiment with its status', `${(ours.bytes / 1024).toFixed(1)} KiB`, '(aim ≤ 100 KiB)');
  row('reconcile p50 / p99', `${ms(ours.p50)} / ${ms(ours.p99)}`);
  row('resident memory, most', `${ours.residentMiB.toFixed(0)} MiB`, '(aim ≤ 250 MiB)');
  row('watch events handled', `${ours.eventsPerSecond.toFixed(0)} /s`);
  row('CPU time of the operator per Run', `${((1000 * ours.cpuSeconds) / size).toFixed(1)} ms`);
}

function ms(seconds: number): string {
  return `${(1000 * seconds).toFixed(1)} ms`;
}

/** With a control plane of its own. */
async function alone<T>(measure: (controlPlane: ControlPlane) => Promise<T>): Promise<T> {
  const controlPlane = await startControlPlane({
    crds: true,
    scheduler: true,
    clientLimits: false,
    nodes: {
      count: 10,
      gpus: 2 * parallelism,
      runMilliseconds: 1000 * runSeconds,
      terminationMessage: JSON.stringify(trained()),
    },
  });
  try {
    return await measure(controlPlane);
  } finally {
    await controlPlane.stop();
  }
}

/** 40 Runs a seed; one more is the teacher. */
function studyOf(size: number): Experiment {
  const seeds = 25;
  const perSeed = size / seeds;
  const students = 10;
  const arms = perSeed / students - 1;
  if (!Number.isInteger(arms) || arms < 1 || arms > 32) {
    throw new RangeError(`${size} Runs: give a multiple of 250, from 500 to 8250`);
  }
  return experimentSchema.parse({
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Experiment',
    metadata: { name: 'study', namespace: 'default' },
    spec: {
      dataset: { name: 'fashion-mnist', source: { packaged: {} } },
      teacher: { model: 'resnet56' },
      students: Array.from({ length: students }, (_, index) => ({ name: `s${index}`, model: 'resnet20' })),
      distillation: Array.from({ length: arms }, (_, index) => ({
        name: `a${index}`,
        softTargets: { temperature: index + 1 },
      })),
      seeds: Array.from({ length: seeds }, (_, index) => index),
      storage: { persistentVolumeClaim: { claimName: 'experiments' } },
      pod: { gpus: 1 },
      parallelism,
    },
  });
}

/** One more Run is the teacher. */
function sweepOf(size: number): Experiment {
  const { parallelism, epochs, minEpochs, eta } = ofSweep;
  const of = (name: string, min: number, max: number) => ({
    name: `training.optimizer.${name}`,
    double: { min, max, scale: 'log' },
  });
  return experimentSchema.parse({
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Experiment',
    metadata: { name: 'study', namespace: 'default' },
    spec: {
      dataset: { name: 'fashion-mnist', source: { packaged: {} } },
      teacher: { model: 'resnet56' },
      students: [{ name: 'small', model: 'resnet20' }],
      training: { epochs },
      seeds: [1],
      storage: { persistentVolumeClaim: { claimName: 'experiments' } },
      pod: { gpus: 1 },
      parallelism,
      sweep: {
        for: 'students',
        algorithm: { asha: { minEpochs, eta } },
        maxRuns: size,
        parameters: [of('learningRate', 0.001, 1), of('weightDecay', 0.00001, 0.01)],
      },
    },
  });
}

/** @returns seconds from the first Job to the last one's end */
async function bareJobs({ access }: ControlPlane, study: Experiment, size: number): Promise<number> {
  const connection = connect(access);
  const client = clientOn(connection);
  const ending = new AbortController();
  const [wantedRun] = plan({ experiment: study, runs: [], now: new Date() }).create;
  if (wantedRun === undefined) throw new Error('no Run');
  const { parameters } = wantedRun.spec;
  const config = {
    ...defaultJobConfig,
    images: { cpu: 'example.org/cpu', gpu: 'example.org/gpu' },
    push: { ...defaultJobConfig.push, url: 'https://example.org' },
  };
  const jobOf = (index: number): Job => {
    const run = runManifest(study, { name: `bare-${index}`, parameters });
    const job = jobFor({ ...run, metadata: { ...run.metadata, uid: 'none' } }, study, config);
    const { ownerReferences: _none, ...metadata } = job.metadata;
    // Of the volume claim nobody knows.
    return withoutClaims({ ...job, metadata });
  };
  const cache = new Cache<Job>({ onHandlerError: console.error });
  const options = { client, resource: jobs, cache, clock: systemClock, random: Math.random };
  const watch = new ListWatch(options);
  const started = performance.now();
  let created = 0;
  let done = 0;
  const finished = Promise.withResolvers<void>();
  const next = () => {
    if (created >= size) return;
    created += 1;
    client.create(jobs, jobOf(created), ending.signal).catch(finished.reject);
  };
  cache.subscribe((change) => {
    if (change.type !== 'updated') return;
    const ended = (job: Job) => conditionTrue(job.status?.conditions, 'Complete') !== undefined;
    if (!ended(change.object) || ended(change.old)) return;
    done += 1;
    if (done === size) finished.resolve();
    else next();
  });
  const watching = watch.run(ending.signal);
  await watch.synced;
  for (let index = 0; index < parallelism; index++) next();
  await finished.promise;
  const seconds = (performance.now() - started) / 1000;
  ending.abort();
  await watching;
  connection.close();
  return seconds;
}

function withoutClaims(job: Job): Job {
  return JSON.parse(
    JSON.stringify(job).replaceAll('"persistentVolumeClaim":{"claimName":"experiments"}', '"emptyDir":{}'),
  );
}

async function experiment(controlPlane: ControlPlane, study: Experiment): Promise<Figures> {
  const { client } = controlPlane;
  await claim(client);
  const operator = await startOperator(client);
  try {
    const before = await countWrites(client);
    const started = performance.now();
    await client.send('POST', '/apis/destillml.io/v1alpha1/namespaces/default/experiments', study);
    const ended = await waitFor(
      'the Experiment to be Complete',
      async () => {
        const path = '/apis/destillml.io/v1alpha1/namespaces/default/experiments/study';
        const now = await client.send<Experiment>('GET', path);
        if (now.status?.phase === 'Failed') throw new Error(JSON.stringify(now.status));
        return now.status?.phase === 'Complete' ? now : undefined;
      },
      patience,
    );
    const seconds = (performance.now() - started) / 1000;
    const metrics = await operator.metrics();
    const ofAll = (name: string) => total(metrics, name);
    return {
      seconds,
      writes: difference(await countWrites(client), before),
      bytes: Buffer.byteLength(JSON.stringify(ended)),
      p50: quantile(metrics, 0.5),
      p99: quantile(metrics, 0.99),
      residentMiB: operator.peakMiB(),
      eventsPerSecond: ofAll('destillml_watch_events_total') / seconds,
      cpuSeconds: ofAll('process_cpu_seconds_total'),
    };
  } finally {
    await operator.stop();
  }
}

type Writes = Readonly<Record<string, number>>;

/** As the API server counts them: all writes to Experiments and Runs, and Jobs that were created or deleted. */
async function countWrites(client: Client): Promise<Writes> {
  const metrics = await client.send<string>('GET', '/metrics');
  const counts: Record<string, number> = {};
  for (const [, labels = '', value] of metrics.matchAll(/^apiserver_request_total\{(.*)\} (\S+)$/gm)) {
    const of = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
    const own = ['experiments', 'runs'].includes(of('resource'));
    const isWrite = ['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE'].includes(of('verb'));
    const ofJob = of('resource') === 'jobs' && ['POST', 'DELETE'].includes(of('verb'));
    if (!(own && isWrite) && !ofJob) continue;
    const kind = `${of('verb')} ${[of('resource'), of('subresource')].filter((part) => part).join('/')}`;
    counts[kind] = (counts[kind] ?? 0) + Number(value);
  }
  return counts;
}

function difference(after: Writes, before: Writes): Writes {
  return Object.fromEntries(
    Object.entries(after)
      .map(([kind, count]) => [kind, count - (before[kind] ?? 0)] as const)
      .filter(([, count]) => count > 0)
      .sort(([one], [other]) => one.localeCompare(other)),
  );
}

function sum(writes: Writes): number {
  return Object.values(writes).reduce((all, count) => all + count, 0);
}

/** Over both controllers, interpolated in its bucket. */
function quantile(metrics: string, share: number): number {
  const name = 'controller_runtime_reconcile_time_seconds';
  const buckets = new Map<number, number>();
  for (const [, le = '', count] of metrics.matchAll(
    new RegExp(`^${name}_bucket\\{le="([^"]+)".*\\} (\\S+)$`, 'gm'),
  )) {
    const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
    buckets.set(bound, (buckets.get(bound) ?? 0) + Number(count));
  }
  const rank = share * (buckets.get(Number.POSITIVE_INFINITY) ?? 0);
  let [below, countBelow] = [0, 0];
  for (const [bound, count] of [...buckets].sort(([one], [other]) => one - other)) {
    if (count >= rank)
      return below + ((bound - below) * (rank - countBelow)) / Math.max(1, count - countBelow);
    [below, countBelow] = [bound, count];
  }
  return Number.NaN;
}
