import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ControllerObserver, ReconcileOutcome } from './controller.ts';
import type { ObservedRequest } from './transport.ts';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

const outcomes: readonly ReconcileOutcome[] = ['success', 'error', 'requeue', 'requeue_after'];

/** 10 ns to 1000 s, as client-go. */
const queueBuckets = Array.from({ length: 12 }, (_, power) => 10 ** (power - 8));
const reconcileBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5,
  1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
const requestBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/**
 * What the machinery says of itself, under the names of controller-runtime, which existing dashboards read.
 *
 * Registered once in each registry.
 */
export class RuntimeMetrics {
  readonly #queues = new Map<string, WorkQueue>();
  readonly #reconciles: Counter<'controller' | 'result'>;
  readonly #errors: Counter<'controller'>;
  readonly #reconcileSeconds: Histogram<'controller'>;
  readonly #activeWorkers: Gauge<'controller'>;
  readonly #maxWorkers: Gauge<'controller'>;
  readonly #adds: Counter<QueueLabel>;
  readonly #retries: Counter<QueueLabel>;
  readonly #queueSeconds: Histogram<QueueLabel>;
  readonly #workSeconds: Histogram<QueueLabel>;
  readonly #requests: Counter<'code' | 'method' | 'host'>;
  readonly #requestSeconds: Histogram<'verb' | 'host'>;
  readonly #leader: Gauge<'name'>;
  readonly #collections = new Map<string, () => number>();

  constructor(registry: Registry) {
    const registers = [registry];
    const controller = ['controller'] as const;
    this.#reconciles = new Counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Total number of reconciliations per controller',
      labelNames: ['controller', 'result'],
      registers,
    });
    this.#errors = new Counter({
      name: 'controller_runtime_reconcile_errors_total',
      help: 'Total number of reconciliation errors per controller',
      labelNames: controller,
      registers,
    });
    this.#reconcileSeconds = new Histogram({
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'Length of time per reconciliation per controller',
      labelNames: controller,
      buckets: reconcileBuckets,
      registers,
    });
    this.#activeWorkers = new Gauge({
      name: 'controller_runtime_active_workers',
      help: 'Number of currently used workers per controller',
      labelNames: controller,
      registers,
    });
    this.#maxWorkers = new Gauge({
      name: 'controller_runtime_max_concurrent_reconciles',
      help: 'Maximum number of concurrent reconciles per controller',
      labelNames: controller,
      registers,
    });
    this.#adds = new Counter({
      name: 'workqueue_adds_total',
      help: 'Total number of adds handled by workqueue',
      labelNames: queueLabels,
      registers,
    });
    this.#retries = new Counter({
      name: 'workqueue_retries_total',
      help: 'Total number of retries handled by workqueue',
      labelNames: queueLabels,
      registers,
    });
    this.#queueSeconds = new Histogram({
      name: 'workqueue_queue_duration_seconds',
      help: 'How long in seconds an item stays in workqueue before being requested',
      labelNames: queueLabels,
      buckets: queueBuckets,
      registers,
    });
    this.#workSeconds = new Histogram({
      name: 'workqueue_work_duration_seconds',
      help: 'How long in seconds processing an item from workqueue takes.',
      labelNames: queueLabels,
      buckets: queueBuckets,
      registers,
    });
    this.#queueGauge(registry, 'workqueue_depth', 'Current depth of workqueue', (queue) => queue.depth);
    this.#queueGauge(
      registry,
      'workqueue_unfinished_work_seconds',
      'How many seconds of work has been done that is in progress and has not been observed by work_duration',
      ({ unfinished }) => unfinished.reduce((sum, seconds) => sum + seconds, 0),
    );
    this.#queueGauge(
      registry,
      'workqueue_longest_running_processor_seconds',
      'How many seconds has the longest running processor for workqueue been running',
      ({ unfinished }) => Math.max(0, ...unfinished),
    );
    this.#requests = new Counter({
      name: 'rest_client_requests_total',
      help: 'Number of HTTP requests, partitioned by status code, method, and host',
      labelNames: ['code', 'method', 'host'],
      registers,
    });
    this.#requestSeconds = new Histogram({
      name: 'rest_client_request_duration_seconds',
      help: 'Request latency in seconds, broken down by verb and host',
      labelNames: ['verb', 'host'],
      buckets: requestBuckets,
      registers,
    });
    const collections = this.#collections;
    const watchEvents: Counter<'resource'> = new Counter({
      name: 'destillml_watch_events_total',
      help: 'Changes that watches of the API server told of, by resource',
      labelNames: ['resource'],
      registers,
      collect: () => {
        watchEvents.reset();
        for (const [resource, events] of collections) watchEvents.inc({ resource }, events());
      },
    });
    this.#leader = new Gauge({
      name: 'leader_election_master_status',
      help: 'Whether this process leads (1) or waits for the lease (0), by name of the lease',
      labelNames: ['name'],
      registers,
    });
  }

  /** What is watched, such as `runs`. @param events changes that its watches told of so far */
  watches(resource: string, events: () => number): void {
    this.#collections.set(resource, events);
  }

  /** For one controller; all its series are there from the start, so that rates begin at 0. */
  controller(name: string, workers: number): ControllerObserver {
    const labels = { controller: name };
    this.#maxWorkers.set(labels, workers);
    this.#activeWorkers.set(labels, 0);
    this.#errors.inc(labels, 0);
    for (const result of outcomes) this.#reconciles.inc({ ...labels, result }, 0);
    return {
      started: () => this.#activeWorkers.inc(labels),
      finished: (result, seconds) => {
        this.#activeWorkers.dec(labels);
        this.#reconciles.inc({ ...labels, result });
        if (result === 'error') this.#errors.inc(labels);
        this.#reconcileSeconds.observe(labels, seconds);
      },
    };
  }

  /** The queue of a controller, which is told of here; a new one of the same name takes its place. */
  workQueue(name: string, options: Omit<WorkQueueOptions, 'observer'>): WorkQueue {
    const labels = { name, controller: name };
    this.#adds.inc(labels, 0);
    this.#retries.inc(labels, 0);
    const queue = new WorkQueue({
      ...options,
      observer: {
        added: () => this.#adds.inc(labels),
        retried: () => this.#retries.inc(labels),
        started: (waited) => this.#queueSeconds.observe(labels, waited),
        finished: (worked) => this.#workSeconds.observe(labels, worked),
      },
    });
    this.#queues.set(name, queue);
    return queue;
  }

  request({ method, host, code, seconds }: ObservedRequest): void {
    this.#requests.inc({ code, method, host });
    this.#requestSeconds.observe({ verb: method, host }, seconds);
  }

  leads(lease: string, leads: boolean): void {
    this.#leader.set({ name: lease }, leads ? 1 : 0);
  }

  /** Read from the queues when somebody asks. */
  #queueGauge(registry: Registry, name: string, help: string, read: (queue: WorkQueue) => number): void {
    const queues = this.#queues;
    const gauge: Gauge<QueueLabel> = new Gauge({
      name,
      help,
      labelNames: queueLabels,
      registers: [registry],
      collect: () => {
        for (const [queue, state] of queues) gauge.set({ name: queue, controller: queue }, read(state));
      },
    });
  }
}

const queueLabels = ['name', 'controller'] as const;
type QueueLabel = (typeof queueLabels)[number];
