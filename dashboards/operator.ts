import { Dashboard } from './grafana/dashboard.ts';
import { Heatmap } from './grafana/heatmap.ts';
import { palette, states } from './grafana/palette.ts';
import { Row } from './grafana/row.ts';
import { Stat } from './grafana/stat.ts';
import { TimeSeries } from './grafana/time-series.ts';
import { datasourceVariable, everyVariable } from './grafana/variables.ts';

/** Its own series, which no other operator has, tell the job that it is scraped as. */
const job = everyVariable({
  name: 'job',
  label: 'Operator',
  description: 'The job that the operator is scraped as; its replicas are told apart by their pods.',
  of: 'job',
  series: 'destillml_build_info',
});

const health = new Row({
  title: 'Is it healthy?',
  panels: [
    new Stat({
      title: 'Replicas that answer',
      description:
        'Operators that Prometheus reaches. With none, nothing is started and nothing is recorded; Jobs go on.',
      unit: 'none',
      width: 4,
      height: 4,
      thresholds: [
        { from: 0, color: states.bad },
        { from: 1, color: states.good },
      ],
      queries: [{ expr: 'sum(up{job=~"$job"})', legend: 'replicas', instant: true }],
    }),
    new Stat({
      title: 'Leaders',
      description: 'Exactly one replica leads. With none for more than a minute, no Experiment gets on.',
      unit: 'none',
      width: 4,
      height: 4,
      thresholds: [
        { from: 0, color: states.bad },
        { from: 1, color: states.good },
        { from: 2, color: states.bad },
      ],
      queries: [
        { expr: 'sum(leader_election_master_status{job=~"$job"})', legend: 'leaders', instant: true },
      ],
    }),
    new Stat({
      title: 'Keys in the work queues',
      description:
        'Experiments and Runs that wait for a worker now. Above zero for long, the operator is behind.',
      unit: 'short',
      width: 4,
      height: 4,
      thresholds: [
        { from: 0, color: states.good },
        { from: 50, color: states.warning },
        { from: 500, color: states.bad },
      ],
      queries: [{ expr: 'sum(workqueue_depth{job=~"$job"})', legend: 'keys', instant: true }],
    }),
    new Stat({
      title: 'Reconciles that fail',
      description:
        'Share of reconciles that ended in an error, over the time range. Each is tried again, ever later.',
      unit: 'percentunit',
      width: 4,
      height: 4,
      decimals: 1,
      thresholds: [
        { from: 0, color: states.good },
        { from: 0.01, color: states.warning },
        { from: 0.1, color: states.bad },
      ],
      queries: [
        {
          expr: 'sum(increase(controller_runtime_reconcile_errors_total{job=~"$job"}[$__range])) / sum(increase(controller_runtime_reconcile_total{job=~"$job"}[$__range]))',
          legend: 'failing',
          instant: true,
        },
      ],
    }),
    new Stat({
      title: 'Reports of trainers refused',
      description:
        'Share of progress reports answered with 401 or 403, over the time range. Results still arrive by other ways.',
      unit: 'percentunit',
      width: 4,
      height: 4,
      decimals: 1,
      noValue: 'no reports',
      thresholds: [
        { from: 0, color: states.good },
        { from: 0.01, color: states.warning },
        { from: 0.5, color: states.bad },
      ],
      queries: [
        {
          expr: 'sum(increase(destillml_progress_requests_total{job=~"$job", code=~"401|403"}[$__range]) or increase(destillml_progress_requests_total{job=~"$job"}[$__range]) * 0) / sum(increase(destillml_progress_requests_total{job=~"$job"}[$__range]))',
          legend: 'refused',
          instant: true,
        },
      ],
    }),
    new Stat({
      title: 'Up for',
      description:
        'Age of the youngest replica: a small number that stays small is an operator that keeps restarting.',
      unit: 'dtdhms',
      width: 4,
      height: 4,
      queries: [
        { expr: 'time() - max(process_start_time_seconds{job=~"$job"})', legend: 'age', instant: true },
      ],
    }),
  ],
});

const reconciling = new Row({
  title: 'Does it keep up?',
  panels: [
    new TimeSeries({
      title: 'Reconciles by result',
      description:
        'How often Experiments and Runs are looked at. requeue_after is the usual way to wait; error is not, and is logged.',
      unit: 'ops',
      width: 8,
      draw: 'stacked',
      colors: [
        [/success/, palette.blue],
        [/error/, palette.vermilion],
        [/requeue$/, palette.orange],
        [/requeue_after/, palette.sky],
      ],
      queries: [
        {
          expr: 'sum by (controller, result) (rate(controller_runtime_reconcile_total{job=~"$job"}[$__rate_interval]))',
          legend: '{{controller}} {{result}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'Time of a reconcile',
      description: 'Median and 99th percentile by controller. The API server is most of it.',
      unit: 's',
      width: 8,
      queries: [0.5, 0.99].map((quantile) => ({
        expr: `histogram_quantile(${quantile}, sum by (controller, le) (rate(controller_runtime_reconcile_time_seconds_bucket{job=~"$job"}[$__rate_interval])))`,
        legend: `{{controller}} p${quantile * 100}`,
      })),
    }),
    new TimeSeries({
      title: 'Workers that are busy',
      description: 'Share of the workers of each controller in use. At 100% for long, raise --concurrency.',
      unit: 'percentunit',
      width: 8,
      min: 0,
      max: 1,
      queries: [
        {
          expr: 'sum by (controller) (controller_runtime_active_workers{job=~"$job"}) / sum by (controller) (controller_runtime_max_concurrent_reconciles{job=~"$job"})',
          legend: '{{controller}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'Depth of the work queues',
      description:
        'Keys that wait for a worker, by queue. It jumps when many Runs change at once and goes back to zero.',
      unit: 'short',
      width: 8,
      min: 0,
      queries: [{ expr: 'sum by (name) (workqueue_depth{job=~"$job"})', legend: '{{name}}' }],
    }),
    new TimeSeries({
      title: 'Time in a work queue',
      description: 'How long a key waits for a worker, 99th percentile by queue.',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: 'histogram_quantile(0.99, sum by (name, le) (rate(workqueue_queue_duration_seconds_bucket{job=~"$job"}[$__rate_interval])))',
          legend: '{{name}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'Retries',
      description: 'Keys that were put back after an error, by queue.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: 'sum by (name) (rate(workqueue_retries_total{job=~"$job"}[$__rate_interval]))',
          legend: '{{name}}',
        },
      ],
    }),
  ],
});

const api = new Row({
  title: 'Does the API server answer?',
  panels: [
    new TimeSeries({
      title: 'Requests by answer',
      description:
        'What the operator asks of the API server. 409 is a conflict, which is tried again; 429 means that it is throttled.',
      unit: 'reqps',
      width: 8,
      draw: 'stacked',
      colors: [
        [/ 2..$/, palette.blue],
        [/ 4..$/, palette.orange],
        [/ 5..$/, palette.vermilion],
      ],
      queries: [
        {
          expr: 'sum by (method, code) (rate(rest_client_requests_total{job=~"$job"}[$__rate_interval]))',
          legend: '{{method}} {{code}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'Time of a request',
      description:
        'How long an answer takes, 99th percentile by verb. Watches, which last, are not among them.',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: 'histogram_quantile(0.99, sum by (verb, le) (rate(rest_client_request_duration_seconds_bucket{job=~"$job"}[$__rate_interval])))',
          legend: '{{verb}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'Changes that watches told of',
      description: 'By resource. Silence while Runs train means that a watch has broken.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: 'sum by (resource) (rate(destillml_watch_events_total{job=~"$job"}[$__rate_interval]))',
          legend: '{{resource}}',
        },
      ],
    }),
  ],
});

const reports = new Row({
  title: 'Do reports of trainers arrive?',
  panels: [
    new TimeSeries({
      title: 'Reports by answer',
      description:
        'Progress that trainers send. 401 and 403 are refused: look at the clock, the token and who asks.',
      unit: 'reqps',
      width: 8,
      draw: 'stacked',
      colors: [
        [/^2/, palette.blue],
        [/^401|^403/, palette.vermilion],
        [/^4(?!0[13])/, palette.orange],
        [/^5/, palette.purple],
      ],
      queries: [
        {
          expr: 'sum by (code) (rate(destillml_progress_requests_total{job=~"$job"}[$__rate_interval]))',
          legend: '{{code}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'Writes of progress',
      description:
        'Of a Run, at most one in --progress-interval is written; what comes between is coalesced into the next.',
      unit: 'ops',
      width: 8,
      colors: [
        ['success', palette.blue],
        ['error', palette.vermilion],
        ['coalesced', palette.sky],
        ['dropped', palette.orange],
      ],
      queries: [
        {
          expr: 'sum by (result) (rate(destillml_progress_writes_total{job=~"$job"}[$__rate_interval]))',
          legend: '{{result}}',
        },
      ],
    }),
    new Heatmap({
      title: 'Time in the work queues, all of it',
      description: 'How many keys waited how long. A dark band that climbs is a queue that fills up.',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: 'sum by (le) (increase(workqueue_queue_duration_seconds_bucket{job=~"$job"}[$__rate_interval]))',
          legend: '{{le}}',
          format: 'heatmap',
        },
      ],
    }),
  ],
});

const process = new Row({
  title: 'What does it need?',
  panels: [
    new TimeSeries({
      title: 'Memory of the process',
      description: 'Resident memory by pod. The chart limits it to 512 MiB: what goes beyond is killed.',
      unit: 'bytes',
      width: 8,
      min: 0,
      queries: [{ expr: 'sum by (pod) (process_resident_memory_bytes{job=~"$job"})', legend: '{{pod}}' }],
    }),
    new TimeSeries({
      title: 'Processor time',
      description: 'Cores in use, by pod. One is the most for long: the operator is one thread.',
      unit: 'none',
      width: 8,
      min: 0,
      queries: [
        {
          expr: 'sum by (pod) (rate(process_cpu_seconds_total{job=~"$job"}[$__rate_interval]))',
          legend: '{{pod}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'Lag of the event loop',
      description: 'How late timers are, 99th percentile. Above 100 ms for long, leases may be lost.',
      unit: 's',
      width: 8,
      thresholds: [
        { from: 0, color: states.good },
        { from: 0.1, color: states.warning },
      ],
      queries: [{ expr: 'max by (pod) (nodejs_eventloop_lag_p99_seconds{job=~"$job"})', legend: '{{pod}}' }],
    }),
  ],
});

export const operator = new Dashboard({
  uid: 'destillml-operator',
  title: 'DestillML / Operator',
  description:
    'Whether the operator keeps up: reconciles, work queues, the API server, reports of trainers, the process.',
  since: '6h',
  variables: [datasourceVariable, job],
  annotations: [],
  rows: [health, reconciling, api, reports, process],
});
