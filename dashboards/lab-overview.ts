import { runPhases } from '@destillml/core/api/meta.ts';
import { BarChart } from './grafana/bar-chart.ts';
import { columns } from './grafana/columns.ts';
import { Dashboard } from './grafana/dashboard.ts';
import { Heatmap } from './grafana/heatmap.ts';
import { phaseColors, states } from './grafana/palette.ts';
import { Row } from './grafana/row.ts';
import { Stat } from './grafana/stat.ts';
import { Table } from './grafana/table.ts';
import { TimeSeries } from './grafana/time-series.ts';
import { grown } from './grown.ts';
import { happenings } from './happenings.ts';
import { chosen, toExperiment, variables } from './selectors.ts';

const { namespaces } = chosen;
/** What a recorded rate adds up to over the time range. */
const overRange = (rate: string) => `sum_over_time(${rate}{${namespaces}}[$__range:1m]) * 60`;
const gpuHours = `${overRange('namespace_experiment:destillml_run_gpu_seconds:rate5m')} / 3600`;

const number = { unit: 'short', width: 4, height: 4 } as const;

const now = new Row({
  title: 'Now',
  panels: [
    new Stat({
      ...number,
      title: 'Runs that train',
      description: 'Runs whose trainer is running.',
      queries: [
        {
          expr: `sum(namespace_experiment_phase:destillml_run_phase:sum{${namespaces}, phase="Running"}) or vector(0)`,
          legend: 'runs',
          instant: true,
        },
      ],
    }),
    new Stat({
      ...number,
      title: 'Runs in the queue',
      description: 'Runs that may train and wait for a GPU: for Kueue, the quota or the scheduler.',
      queries: [
        {
          expr: `sum(namespace_experiment_phase:destillml_run_phase:sum{${namespaces}, phase="Queued"}) or vector(0)`,
          legend: 'runs',
          instant: true,
        },
      ],
    }),
    new Stat({
      ...number,
      title: 'GPUs that Runs hold',
      description: 'GPUs of Runs that are starting or running. How busy they are, the Run dashboard says.',
      queries: [
        { expr: `sum(destillml_run_gpus{${namespaces}}) or vector(0)`, legend: 'GPUs', instant: true },
      ],
    }),
    new Stat({
      ...number,
      title: 'GPU hours',
      description: 'GPU time of all Runs within the time range.',
      unit: 'h',
      queries: [
        {
          expr: `sum(${gpuHours})`,
          legend: 'hours',
          instant: true,
        },
      ],
    }),
    new Stat({
      ...number,
      title: 'Runs that failed',
      description: 'Runs that are there and have failed for good.',
      thresholds: [
        { from: 0, color: states.good },
        { from: 1, color: states.bad },
      ],
      queries: [
        {
          expr: `sum(namespace_experiment_phase:destillml_run_phase:sum{${namespaces}, phase="Failed"}) or vector(0)`,
          legend: 'runs',
          instant: true,
        },
      ],
    }),
    new Stat({
      ...number,
      title: 'Preemptions',
      description:
        'Times within the time range that a Run gave way to others. It goes on from its checkpoint.',
      thresholds: [
        { from: 0, color: states.good },
        { from: 10, color: states.warning },
      ],
      queries: [
        {
          expr: `round(sum(${overRange('namespace_experiment:destillml_run_preemptions:rate5m')})) or vector(0)`,
          legend: 'preemptions',
          instant: true,
        },
      ],
    }),
  ],
});

const use = new Row({
  title: 'Use',
  panels: [
    new TimeSeries({
      title: 'Runs by phase',
      description:
        'All Runs that there are, stacked. Yellow that stays means that GPUs are what the lab waits for.',
      unit: 'short',
      width: 12,
      draw: 'stacked',
      colors: runPhases.map((phase) => [phase, phaseColors[phase]]),
      queries: [
        {
          expr: `sum by (phase) (namespace_experiment_phase:destillml_run_phase:sum{${namespaces}})`,
          legend: '{{phase}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'GPUs by Experiment',
      description: 'GPUs that the Runs of each Experiment hold, stacked.',
      unit: 'short',
      width: 12,
      draw: 'stacked',
      queries: [
        {
          expr: `sum by (namespace, experiment) (destillml_run_gpus{${namespaces}})`,
          legend: '{{namespace}}/{{experiment}}',
        },
      ],
    }),
    new BarChart({
      title: 'GPU hours by Experiment',
      description:
        'GPU time within the time range, the greatest ten. Experiments of equal names are told apart by namespace.',
      unit: 'h',
      decimals: 1,
      min: 0,
      width: 6,
      x: 'experiment',
      ...columns(
        ['experiment'],
        [
          {
            expr: `topk(10, sum by (experiment) (${gpuHours}) > 0)`,
            legend: 'GPU hours',
          },
        ],
      ),
    }),
    new BarChart({
      title: 'GPU hours by namespace',
      description: 'GPU time within the time range, by namespace: who uses the lab.',
      unit: 'h',
      decimals: 1,
      min: 0,
      width: 6,
      x: 'namespace',
      ...columns(
        ['namespace'],
        [
          {
            expr: `sum by (namespace) (${gpuHours}) > 0`,
            legend: 'GPU hours',
          },
        ],
      ),
    }),
    new TimeSeries({
      title: 'Failures by reason',
      description:
        'Attempts that failed in the hour before, by reason. OutOfMemory is retried, TrainingDiverged is not.',
      unit: 'short',
      noValue: 'none',
      width: 6,
      draw: 'stacked',
      queries: [
        {
          expr: `sum by (reason) (${grown(`destillml_run_failures_total{${namespaces}}`, '1h')})`,
          legend: '{{reason}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'What stands in the way',
      description:
        'Runs that may train and do not get on, by reason: these want a look. Those that only wait for their turn in a queue are not among them.',
      unit: 'short',
      width: 6,
      draw: 'stacked',
      queries: [{ expr: `sum by (reason) (destillml_run_blocked{${namespaces}})`, legend: '{{reason}}' }],
    }),
  ],
});

const waiting = new Row({
  title: 'Waiting',
  panels: [
    new Heatmap({
      title: 'Time in the queue',
      description: 'How long Runs that got a GPU had waited for it, by when they got it.',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: `sum by (le) (increase(destillml_run_queue_wait_seconds_bucket{${namespaces}}[$__rate_interval]))`,
          legend: '{{le}}',
          format: 'heatmap',
        },
      ],
    }),
    new TimeSeries({
      title: 'Median wait by queue',
      description:
        'How long Runs waited for a GPU, median of the hour before, by namespace and Kueue’s queue.',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: `histogram_quantile(0.5, sum by (namespace, queue, le) (increase(destillml_run_queue_wait_seconds_bucket{${namespaces}}[1h])))`,
          legend: '{{namespace}} {{queue}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'Time to start',
      description:
        'From the GPU to the first step: node, image, data. Of the hour before; the GPU is idle meanwhile.',
      unit: 's',
      width: 8,
      queries: [0.5, 0.95].map((quantile) => ({
        expr: `histogram_quantile(${quantile}, sum by (le) (increase(destillml_run_startup_seconds_bucket{${namespaces}}[1h])))`,
        legend: `p${quantile * 100}`,
      })),
    }),
  ],
});

const byExperiment = 'namespace, experiment';

const experiments = new Row({
  title: 'Experiments',
  panels: [
    new Table({
      title: 'All Experiments',
      description: 'One row for each Experiment: a click leads to its dashboard.',
      unit: 'short',
      width: 24,
      height: 10,
      decimals: 0,
      sortBy: { column: 'Running', descending: true },
      overrides: [
        { field: 'experiment', properties: { links: [toExperiment] } },
        { field: 'GPU hours', properties: { unit: 'h', decimals: 1 } },
        { field: /accuracy$/, properties: { unit: 'percentunit', decimals: 2 } },
      ],
      ...columns(
        ['namespace', 'experiment'],
        [
          {
            expr: `sum by (${byExperiment}) (namespace_experiment_phase:destillml_run_phase:sum{${namespaces}})`,
            legend: 'Runs',
          },
          ...(['Running', 'Queued', 'Succeeded', 'Failed'] as const).map((phase) => ({
            expr: `sum by (${byExperiment}) (namespace_experiment_phase:destillml_run_phase:sum{${namespaces}, phase="${phase}"})`,
            legend: phase,
          })),
          {
            expr: `max by (${byExperiment}) (destillml_experiment_test_accuracy{${namespaces}, role="distilled"})`,
            legend: 'Best accuracy',
          },
          {
            expr: `sum by (${byExperiment}) (destillml_run_gpu_seconds_total{${namespaces}}) / 3600`,
            legend: 'GPU hours',
          },
        ],
      ),
    }),
  ],
});

export const labOverview = new Dashboard({
  uid: 'destillml-lab-overview',
  title: 'DestillML / Lab overview',
  description: 'Who uses the GPUs of the lab for what, and who waits for them.',
  since: '24h',
  variables: variables.lab,
  annotations: happenings(namespaces),
  rows: [now, use, waiting, experiments],
});
