import type { LabelName } from '@destillml/core/metrics/labels.ts';
import { machineryMetrics } from '@destillml/core/metrics/machinery.ts';
import { clientOptions, type Metric } from '@destillml/core/metrics/metric.ts';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ControllerObserver, ReconcileOutcome } from './controller.ts';
import type { ObservedRequest } from './transport.ts';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

const outcomes: readonly ReconcileOutcome[] = ['success', 'error', 'requeue', 'requeue_after'];

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
  #clockSkew = () => 0;

  constructor(registry: Registry) {
    const counter = <L extends LabelName>(metric: Metric<L>) => new Counter(clientOptions(metric, registry));
    const gauge = <L extends LabelName>(metric: Metric<L>) => new Gauge(clientOptions(metric, registry));
    const histogram = <L extends LabelName>(metric: Metric<L>) =>
      new Histogram(clientOptions(metric, registry));
    this.#reconciles = counter(machineryMetrics.reconciles);
    this.#errors = counter(machineryMetrics.reconcileErrors);
    this.#reconcileSeconds = histogram(machineryMetrics.reconcileSeconds);
    this.#activeWorkers = gauge(machineryMetrics.activeWorkers);
    this.#maxWorkers = gauge(machineryMetrics.maxWorkers);
    this.#adds = counter(machineryMetrics.queueAdds);
    this.#retries = counter(machineryMetrics.queueRetries);
    this.#queueSeconds = histogram(machineryMetrics.queueSeconds);
    this.#workSeconds = histogram(machineryMetrics.workSeconds);
    this.#queueGauge(registry, machineryMetrics.queueDepth, (queue) => queue.depth);
    this.#queueGauge(registry, machineryMetrics.unfinishedWork, ({ unfinished }) =>
      unfinished.reduce((sum, seconds) => sum + seconds, 0),
    );
    this.#queueGauge(registry, machineryMetrics.longestWork, ({ unfinished }) => Math.max(0, ...unfinished));
    this.#requests = counter(machineryMetrics.requests);
    this.#requestSeconds = histogram(machineryMetrics.requestSeconds);
    const collections = this.#collections;
    const watchEvents: Counter<'resource'> = new Counter({
      ...clientOptions(machineryMetrics.watchEvents, registry),
      collect: () => {
        watchEvents.reset();
        for (const [resource, events] of collections) watchEvents.inc({ resource }, events());
      },
    });
    this.#leader = gauge(machineryMetrics.leader);
    const skew: Gauge = new Gauge({
      ...clientOptions(machineryMetrics.clockSkew, registry),
      collect: () => skew.set(this.#clockSkew()),
    });
  }

  /** What is watched, such as `runs`. @param events changes that its watches told of so far */
  watches(resource: string, events: () => number): void {
    this.#collections.set(resource, events);
  }

  /** @param seconds how far the machine's clock is ahead of the cluster's */
  clockSkew(seconds: () => number): void {
    this.#clockSkew = seconds;
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
  #queueGauge(registry: Registry, metric: Metric<QueueLabel>, read: (queue: WorkQueue) => number): void {
    const queues = this.#queues;
    const gauge: Gauge<QueueLabel> = new Gauge({
      ...clientOptions(metric, registry),
      collect: () => {
        for (const [queue, state] of queues) gauge.set({ name: queue, controller: queue }, read(state));
      },
    });
  }
}

type QueueLabel = 'name' | 'controller';
