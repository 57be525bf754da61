import { metric } from './metric.ts';

/** 10 ns to 1000 s, as client-go. */
const queueBuckets = Array.from({ length: 12 }, (_, power) => 10 ** (power - 8));
const reconcileBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5,
  1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
const requestBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
const queue = ['name', 'controller'] as const;

/** What every operator says of itself: under the names of controller-runtime, where it has one. */
export const machineryMetrics = {
  reconciles: metric({
    name: 'controller_runtime_reconcile_total',
    type: 'counter',
    unit: 'count',
    help: 'Total number of reconciliations per controller',
    labels: ['controller', 'result'],
  }),
  reconcileErrors: metric({
    name: 'controller_runtime_reconcile_errors_total',
    type: 'counter',
    unit: 'count',
    help: 'Total number of reconciliation errors per controller',
    labels: ['controller'],
  }),
  reconcileSeconds: metric({
    name: 'controller_runtime_reconcile_time_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Length of time per reconciliation per controller',
    labels: ['controller'],
    buckets: reconcileBuckets,
  }),
  activeWorkers: metric({
    name: 'controller_runtime_active_workers',
    type: 'gauge',
    unit: 'count',
    help: 'Number of currently used workers per controller',
    labels: ['controller'],
  }),
  maxWorkers: metric({
    name: 'controller_runtime_max_concurrent_reconciles',
    type: 'gauge',
    unit: 'count',
    help: 'Maximum number of concurrent reconciles per controller',
    labels: ['controller'],
  }),
  queueAdds: metric({
    name: 'workqueue_adds_total',
    type: 'counter',
    unit: 'count',
    help: 'Total number of adds handled by workqueue',
    labels: queue,
  }),
  queueRetries: metric({
    name: 'workqueue_retries_total',
    type: 'counter',
    unit: 'count',
    help: 'Total number of retries handled by workqueue',
    labels: queue,
  }),
  queueSeconds: metric({
    name: 'workqueue_queue_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'How long in seconds an item stays in workqueue before being requested',
    labels: queue,
    buckets: queueBuckets,
  }),
  workSeconds: metric({
    name: 'workqueue_work_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'How long in seconds processing an item from workqueue takes.',
    labels: queue,
    buckets: queueBuckets,
  }),
  queueDepth: metric({
    name: 'workqueue_depth',
    type: 'gauge',
    unit: 'count',
    help: 'Current depth of workqueue',
    labels: queue,
  }),
  unfinishedWork: metric({
    name: 'workqueue_unfinished_work_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'How many seconds of work has been done that is in progress and has not been observed by work_duration',
    labels: queue,
  }),
  longestWork: metric({
    name: 'workqueue_longest_running_processor_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'How many seconds has the longest running processor for workqueue been running',
    labels: queue,
  }),
  requests: metric({
    name: 'rest_client_requests_total',
    type: 'counter',
    unit: 'count',
    help: 'Number of HTTP requests, partitioned by status code, method, and host',
    labels: ['code', 'method', 'host'],
  }),
  requestSeconds: metric({
    name: 'rest_client_request_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Request latency in seconds, broken down by verb and host',
    labels: ['verb', 'host'],
    buckets: requestBuckets,
  }),
  leader: metric({
    name: 'leader_election_master_status',
    type: 'gauge',
    unit: 'state',
    help: 'Whether this process leads (1) or waits for the lease (0), by name of the lease',
    labels: ['name'],
  }),
  watchEvents: metric({
    name: 'destillml_watch_events_total',
    type: 'counter',
    unit: 'count',
    help: 'Changes that watches of the API server told of, by resource',
    labels: ['resource'],
  }),
  clockSkew: metric({
    name: 'destillml_clock_skew_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: "How far the clock of the operator's machine is ahead of the API server's, which it goes by",
    labels: [],
  }),
  progressRequests: metric({
    name: 'destillml_progress_requests_total',
    type: 'counter',
    unit: 'count',
    help: 'Reports of trainers by status of the answer; 499 if the trainer went away before it got one',
    labels: ['code'],
  }),
  progressWrites: metric({
    name: 'destillml_progress_writes_total',
    type: 'counter',
    unit: 'count',
    help: 'Writes of progress to the status of Runs; coalesced reports became part of a later write',
    labels: ['result'],
  }),
  build: metric({
    name: 'destillml_build_info',
    type: 'gauge',
    unit: 'info',
    help: 'The operator, always 1',
    labels: ['version'],
  }),
} as const;
