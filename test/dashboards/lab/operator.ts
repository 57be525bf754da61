import { Counter, Gauge, Registry } from 'prom-client';
import type { Experiment, Run } from '../../../operator/controllers/kinds.ts';
import type { Job, Pod } from '../../../operator/jobs/objects.ts';
import { AttemptMetrics } from '../../../operator/metrics/attempt-metrics.ts';
import { StateMetrics } from '../../../operator/metrics/state-metrics.ts';
import { labelValue, ownerUids } from '../../../operator/runtime/cache.ts';
import type { ControllerObserver } from '../../../operator/runtime/controller.ts';
import { RuntimeMetrics } from '../../../operator/runtime/metrics.ts';
import type { WorkQueue } from '../../../operator/runtime/work-queue.ts';
import { ServerMetrics } from '../../../operator/server/server-metrics.ts';
import type { Condition } from '../../../src/api/meta.ts';
import type { RunPod, RunStatus } from '../../../src/api/run.ts';
import { machineryMetrics } from '../../../src/metrics/machinery.ts';
import { clientOptions } from '../../../src/metrics/metric.ts';
import { processMetrics } from '../../../src/metrics/process.ts';
import { known } from '../../operator/metrics/caches.ts';
import { FakeClock } from '../../operator/runtime/fake-clock.ts';
import {
  type Attempt,
  at,
  cifar,
  digits,
  explanationOf,
  jobOf,
  looks,
  podOf,
  progressOf,
  recordOf,
  resultOf,
  runsOf,
  shownAs,
  studies,
  swept,
  usage,
  withStatus,
} from './study.ts';

const host = '10.96.0.1:443';
/** Of the hour, by controller. */
const reconciles = { experiment: 720, run: 2880 } as const;

type Controller = {
  readonly name: 'experiment' | 'run';
  readonly observer: ControllerObserver;
  readonly queue: WorkQueue;
};

/** An operator that has the lease since the hour began, and the lab that it sees. */
export class Lab {
  readonly #registry = new Registry();
  readonly #clock = new FakeClock(0);
  readonly #experiments = known<Experiment>([cifar, digits]);
  readonly #runs = known<Run>([], { owner: ownerUids });
  readonly #jobs = known<Job>([]);
  readonly #pods = known<Pod>([], { run: labelValue('destillml.io/run') });
  readonly #attempts = new AttemptMetrics(this.#registry);
  readonly #state = new StateMetrics(
    { experiments: this.#experiments, runs: this.#runs, jobs: this.#jobs, pods: this.#pods },
    (run) => this.#attempts.failuresOf(run),
  );
  readonly #machinery = new RuntimeMetrics(this.#registry);
  readonly #server = new ServerMetrics(this.#registry);
  readonly #process = processOf(this.#registry);
  readonly #controllers: readonly Controller[] = (['experiment', 'run'] as const).map((name) => ({
    name,
    observer: this.#machinery.controller(name, 8),
    queue: this.#machinery.workQueue(name, { clock: this.#clock }),
  }));
  /** Changes that watches have told of. */
  readonly #events: Record<string, number> = { experiments: 0, jobs: 0, pods: 0, runs: 0 };

  constructor() {
    new Gauge(clientOptions(machineryMetrics.build, this.#registry)).set({ version: '0.1.0' }, 1);
    this.#machinery.leads('destillml', true);
    for (const resource of Object.keys(this.#events)) {
      this.#machinery.watches(resource, () => this.#events[resource] ?? 0);
    }
    this.#process({ cpuSeconds: 0, memory: 150_000_000, lag: 0.012 });
    this.#begin();
    this.#attempts.follow({ runs: this.#runs, jobs: this.#jobs, pods: this.#pods });
  }

  /** What `/metrics` says now, as the operator puts it together. */
  async text(): Promise<string> {
    const text = [await this.#registry.metrics(), '\n', ...this.#state.parts()].join('');
    return [...this.#runs.cache.values()].reduce(
      (shown, run) => shown.replaceAll(`"${run.metadata.name}"`, `"${shownAs(run)}"`),
      text,
    );
  }

  /** The hour passes. */
  async pass(): Promise<void> {
    this.#train();
    this.#search();
    this.#fail();
    this.#process({ cpuSeconds: 360, memory: 160_000_000, lag: 0.015 });
    for (const each of this.#controllers) await this.#reconcile(each);
    this.#answer();
  }

  /** Both teachers and the baseline begin to train; all else waits. Cifar was trained before, and explained then. */
  #begin(): void {
    this.#experiments.cache.replace([
      withStatus<Experiment>(cifar, { phase: 'Running', conditions: [], startTime: at(0) }),
      withStatus<Experiment>(digits, { phase: 'Running', conditions: [], startTime: at(0) }),
    ]);
    const names = [
      'cifar-teacher-1',
      'cifar-baseline-small-1',
      'cifar-baseline-small-2',
      'cifar-soft-small-1',
      'cifar-hints-small-1',
      'cifar-soft-small-2',
      'cifar-hints-small-2',
    ];
    const drawn: Readonly<Record<string, readonly [learningRate: number, temperature: number]>> = {
      'cifar-soft-small-1': [0.1, 1],
      'cifar-soft-small-2': [0.5, 4],
      'cifar-hints-small-1': [0.1, 4],
      'cifar-hints-small-2': [0.5, 1],
    };
    for (const [name, run] of [...runsOf(cifar, names), ...runsOf(digits, ['digits-teacher-1'])]) {
      const values = drawn[name];
      this.#runs.cache.set(values === undefined ? run : swept(run, ...values));
    }
    const running = (name: string, accuracies: readonly [number, number], speed: number, epoch: number) => {
      const first = { name: `${name}-a`, scheduled: -20, started: 0 };
      this.#pod(name, first);
      const progress = progressOf(epoch, accuracies, speed, 0);
      this.#becomes(name, { phase: 'Running', progress, ...usage([recordOf(first, 0)]) });
    };
    running('cifar-teacher-1', [0.4, 0.38], 400, 10);
    running('cifar-baseline-small-1', [0.3, 0.31], 900, 10);
    running('digits-teacher-1', [0.5, 0.52], 500, 5);
    this.#explained([
      'cifar-teacher-1',
      'cifar-baseline-small-1',
      'cifar-soft-small-1',
      'cifar-soft-small-2',
      'cifar-hints-small-1',
    ]);
  }

  /** Of networks as they were trained before, the teacher's first: an explanation that ended an hour ago. */
  #explained(networks: readonly string[]): void {
    const explanation = explanationOf(
      cifar,
      networks.map((name) => this.#run(name)),
    );
    this.#runs.cache.set(explanation);
    const attempt = { name: 'cifar-explanation-1-a', scheduled: -3980, started: -3960 };
    const completionTime = at(-3600);
    this.#becomes('cifar-explanation-1', {
      phase: 'Succeeded',
      ...usage([recordOf(attempt, 360, { at: -3600, outcome: 'Succeeded' })]),
      completionTime,
      progress: { epoch: 0, epochs: 1, step: 240, steps: 240, etaSeconds: 0, updatedAt: completionTime },
      explanation: looks,
    });
  }

  /** Cifar: five Runs succeed, of which one gave way once; one trains still, and one is held in the queue. */
  #train(): void {
    const succeeds = (
      name: string,
      train: number,
      result: RunStatus['result'],
      pods: readonly RunPod[],
    ): void => {
      const ended = pods.at(-1)?.endTime ?? at(0);
      const progress = progressOf(60, [train, result?.validationAccuracy ?? 0], 0, Date.parse(ended) / 1000);
      this.#becomes(name, {
        phase: 'Succeeded',
        ...usage(pods),
        completionTime: ended,
        progress,
        // Twelve of the epochs, up to the best.
        history: Array.from(
          { length: 12 },
          (_, index) => ((result?.validationAccuracy ?? 0) * (index + 1)) / 12,
        ),
        ...(result === undefined ? {} : { result }),
      });
      this.#gone(name);
    };
    const succeeded = (end: number) => ({ at: end, outcome: 'Succeeded' as const });
    const first = (name: string, started: number) => ({
      name: `${name}-a`,
      scheduled: started - 20,
      started,
    });

    const teacher = 'cifar-teacher-1';
    succeeds(
      teacher,
      0.99,
      resultOf('teacher', {
        validationAccuracy: 0.81,
        testAccuracy: 0.8,
        testAccuracyTop5: 0.95,
        trainingSeconds: 1700,
        imagesPerSecond: 410,
      }),
      [recordOf(first(teacher, 0), 1800, succeeded(1800))],
    );
    const baseline = 'cifar-baseline-small-1';
    succeeds(
      baseline,
      0.75,
      resultOf('student', {
        validationAccuracy: 0.71,
        testAccuracy: 0.7,
        testAccuracyTop5: 0.92,
        trainingSeconds: 850,
        imagesPerSecond: 910,
      }),
      [recordOf(first(baseline, 0), 900, succeeded(900))],
    );

    const otherBaseline = 'cifar-baseline-small-2';
    succeeds(
      otherBaseline,
      0.74,
      resultOf('student', {
        validationAccuracy: 0.7,
        testAccuracy: 0.69,
        testAccuracyTop5: 0.91,
        trainingSeconds: 870,
        imagesPerSecond: 890,
      }),
      [recordOf(first(otherBaseline, 900), 900, succeeded(1800))],
    );

    // The students wait for the teacher, and then 320 s in the queue.
    const soft1 = 'cifar-soft-small-1';
    this.#starts(soft1, first(soft1, 2140), { created: 1800, queue: 'lab' });
    succeeds(
      soft1,
      0.74,
      resultOf('student', {
        validationAccuracy: 0.72,
        testAccuracy: 0.71,
        testAccuracyTop5: 0.93,
        trainingSeconds: 950,
        imagesPerSecond: 700,
      }),
      [recordOf(first(soft1, 2140), 1000, succeeded(3140))],
    );

    const soft2 = 'cifar-soft-small-2';
    this.#starts(soft2, first(soft2, 2140), { created: 1800, queue: 'lab' });
    const gaveWay = recordOf(first(soft2, 2140), 300, { at: 2440, outcome: 'Preempted' });
    this.#becomes(soft2, { phase: 'Queued', reason: 'Preempted', ...usage([gaveWay]) });
    const second = { name: `${soft2}-b`, scheduled: 2760, started: 2780 };
    this.#pod(soft2, second);
    this.#becomes(soft2, { phase: 'Running', ...usage([gaveWay, recordOf(second, 0)]) });
    succeeds(
      soft2,
      0.76,
      resultOf('student', {
        validationAccuracy: 0.74,
        testAccuracy: 0.73,
        testAccuracyTop5: 0.94,
        trainingSeconds: 1050,
        imagesPerSecond: 710,
      }),
      [gaveWay, recordOf(second, 800, succeeded(3580))],
    );

    const hints1 = 'cifar-hints-small-1';
    this.#starts(hints1, first(hints1, 3000), { created: 2660, queue: 'lab' });
    this.#becomes(hints1, {
      phase: 'Running',
      ...usage([recordOf(first(hints1, 3000), 600)]),
      progress: progressOf(30, [0.55, 0.6], 650, 3590),
    });
    this.#becomes('cifar-hints-small-2', {
      phase: 'Queued',
      reason: 'Held',
      conditions: [condition('Progressing', 'False', 'Held')],
    });
  }

  /** What the sweep of cifar came to, once its trials have reported. */
  #search(): void {
    this.#experiments.cache.set(
      withStatus<Experiment>(cifar, { phase: 'Running', conditions: [], startTime: at(0), studies }),
    );
  }

  /** Digits: its teacher runs out of memory three times, and is given up. */
  #fail(): void {
    const name = 'digits-teacher-1';
    const attempts: readonly Attempt[] = [
      { name: `${name}-a`, scheduled: -20, started: 0 },
      { name: `${name}-b`, created: 669.5, scheduled: 673, started: 680.5 },
      { name: `${name}-c`, created: 1399.5, scheduled: 1403, started: 1410.5 },
    ];
    const conditions = [condition('LastAttemptFailed', 'True', 'OutOfMemory')];
    const progress = progressOf(20, [0.9, 0.88], 500, 2000);
    const failed: RunPod[] = [];
    for (const attempt of attempts) {
      if (attempt.created !== undefined) {
        this.#pod(name, attempt);
        this.#becomes(name, {
          phase: 'Running',
          progress,
          conditions,
          ...usage([...failed, recordOf(attempt, 0)]),
        });
      }
      failed.push(recordOf(attempt, 600, { at: attempt.started + 600, outcome: 'Failed' }));
      this.#becomes(name, {
        phase: 'Starting',
        reason: 'OutOfMemory',
        progress,
        conditions,
        ...usage(failed),
      });
    }
    this.#gone(name);
    const completionTime = at(2010.5);
    this.#becomes(name, {
      phase: 'Failed',
      reason: 'OutOfMemory',
      progress,
      conditions,
      ...usage(failed),
      completionTime,
    });
    this.#experiments.cache.set(
      withStatus<Experiment>(digits, {
        phase: 'Failed',
        conditions: [condition('Failed', 'True', 'NoRunSucceeded')],
        startTime: at(0),
        completionTime,
      }),
    );
  }

  /** Of 40 reconciles 20 succeed, one fails, and 19 come again; at the end some are under way and some wait. */
  async #reconcile({ name, observer, queue }: Controller): Promise<void> {
    const count = reconciles[name];
    for (let index = 0; index < count; index += 1) {
      const result = index % 40 === 0 ? 'error' : index % 2 === 1 ? 'success' : 'requeue_after';
      observer.started();
      await this.#work(queue, index % 2 === 0 ? 0.05 : 0.5);
      observer.finished(result, index % 2 === 0 ? 0.0075 : 0.0125);
      if (result === 'error') {
        queue.retry(`lab/failed-${index}`);
        queue.forget(`lab/failed-${index}`);
      }
    }
    const [busy, waiting] = name === 'run' ? [8, 12] : [2, 3];
    for (let index = 0; index < busy; index += 1) observer.started();
    for (let index = 0; index < waiting; index += 1) queue.add(`lab/waiting-${index}`);
  }

  /** A key waits so many milliseconds, and is worked on for ten. */
  async #work(queue: WorkQueue, waits: number): Promise<void> {
    queue.add('lab/any');
    this.#clock.freeze(waits);
    const key = await queue.take();
    this.#clock.freeze(10);
    queue.done(key ?? '');
  }

  /** Requests to the API server, what it told of, and reports of trainers. */
  #answer(): void {
    const requests = [
      { method: 'GET', code: '200', times: 3600 },
      { method: 'PATCH', code: '200', times: 1800 },
      { method: 'PATCH', code: '409', times: 36 },
    ] as const;
    for (const { times, ...request } of requests) {
      for (let index = 0; index < times; index += 1)
        this.#machinery.request({ ...request, host, seconds: 0.01 });
    }
    Object.assign(this.#events, { experiments: 360, jobs: 720, pods: 1800, runs: 3600 });
    for (const [status, times] of [
      [202, 3600],
      [401, 36],
    ] as const) {
      for (let index = 0; index < times; index += 1) this.#server.answered(status);
    }
    for (const [result, times] of [
      ['success', 1800],
      ['coalesced', 1764],
      ['dropped', 36],
    ] as const) {
      for (let index = 0; index < times; index += 1) this.#server.written(result);
    }
  }

  /** A Run that has a Job since then has its first attempt. */
  #starts(
    name: string,
    attempt: Attempt,
    job: { readonly created: number; readonly queue: string | undefined },
  ): void {
    this.#jobs.cache.set(jobOf(this.#run(name), job.created, job.queue));
    this.#pod(name, attempt);
    this.#becomes(name, { phase: 'Running', ...usage([recordOf(attempt, 0)]) });
  }

  #pod(name: string, attempt: Attempt): void {
    const run = this.#run(name);
    this.#gone(name);
    this.#pods.cache.set(podOf(run, attempt));
  }

  #gone(name: string): void {
    const { namespace, name: run } = this.#run(name).metadata;
    for (const pod of this.#pods.cache.byIndex('run', `${namespace}/${run}`)) this.#pods.cache.delete(pod);
  }

  #becomes(name: string, status: Partial<RunStatus> & Pick<RunStatus, 'phase'>): void {
    this.#runs.cache.set(withStatus<Run>(this.#run(name), { conditions: [], ...status }));
  }

  #run(name: string): Run {
    const found = [...this.#runs.cache.values()].find((run) => shownAs(run) === name);
    if (found === undefined) throw new Error(`there is no Run ${name}`);
    return found;
  }
}

function condition(type: string, status: Condition['status'], reason: string): Condition {
  return { type, status, reason, message: 'Why.', lastTransitionTime: at(0), observedGeneration: 1 };
}

/** What prom-client measures of a process, of one that never differs. @returns sets it */
function processOf(registry: Registry) {
  const optionsOf = (name: string) => {
    const found = processMetrics.find((metric) => metric.name === name);
    if (found === undefined) throw new Error(`${name} is not in the catalogue`);
    return clientOptions(found, registry);
  };
  const cpu = new Counter(optionsOf('process_cpu_seconds_total'));
  const memory = new Gauge(optionsOf('process_resident_memory_bytes'));
  const lag = new Gauge(optionsOf('nodejs_eventloop_lag_p99_seconds'));
  // It waited for the lease for an hour.
  new Gauge(optionsOf('process_start_time_seconds')).set(-3600);
  return (now: { readonly cpuSeconds: number; readonly memory: number; readonly lag: number }) => {
    cpu.reset();
    cpu.inc(now.cpuSeconds);
    memory.set(now.memory);
    lag.set(now.lag);
  };
}
