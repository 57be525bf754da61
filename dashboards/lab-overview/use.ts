import { runPhases } from '@destillml/core/api/meta.ts';
import { idleBelow, ofGpus, ofRuns, podsOf } from '../gpu.ts';
import { BarChart } from '../grafana/bar-chart.ts';
import { columns, onlyColumn } from '../grafana/columns.ts';
import { phaseColors } from '../grafana/palette.ts';
import { Row } from '../grafana/row.ts';
import { hidden, Table, wide } from '../grafana/table.ts';
import { TimeSeries } from '../grafana/time-series.ts';
import { chosen, toRun } from '../selectors.ts';

const { namespaces } = chosen;

/** What was held at each minute of the time range, added up: also of Runs that are gone. */
const gpuHours = (by: string) =>
  `topk(10, sum by (${by}) (sum_over_time(destillml_experiment_gpus{${namespaces}}[$__range:1m])) / 60 > 0)`;

function hours(by: 'namespace' | 'experiment', title: string, description: string) {
  return new BarChart({
    title,
    description,
    unit: 'none',
    min: 0,
    width: 6,
    noValue: 'no GPU was held',
    x: by,
    ...onlyColumn(by, { expr: `sort_desc(${gpuHours(by)})`, legend: 'GPU hours' }),
  });
}

const isIdle = ofGpus('DCGM_FI_DEV_GPU_UTIL', 'sum', `< bool ${idleBelow}`);
const place = ['namespace', 'experiment', 'run'] as const;
/** Runs of which GPUs are idle, the most first. */
const idle = `topk(10, ${ofRuns(isIdle, namespaces, place.join(', '))} > 0)`;
const { overrides, ...idleRuns } = columns(place, idle, [{ expr: idle, legend: 'Idle GPUs' }]);

export const use = new Row({
  title: 'Who used what?',
  panels: [
    hours(
      'namespace',
      'GPU hours by namespace',
      'GPU time within the time range, the greatest ten, in hours.',
    ),
    hours(
      'experiment',
      'GPU hours by Experiment',
      'GPU time within the time range, the greatest ten, in hours. Those of equal names in several namespaces are one.',
    ),
    new TimeSeries({
      title: 'Use of the GPUs that are held',
      description:
        'Mean over the GPUs that the Runs of each namespace hold: 100% is busy all the time. From NVIDIA’s DCGM exporter.',
      unit: 'percent',
      width: 6,
      min: 0,
      max: 100,
      noValue: 'no DCGM exporter',
      colors: [],
      queries: [
        {
          expr: `topk(20, avg by (namespace) (${ofGpus('DCGM_FI_DEV_GPU_UTIL', 'avg')} and on (namespace, pod) ${podsOf(namespaces)}))`,
          legend: '{{namespace}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'Runs by phase',
      description:
        'All Runs that there are, stacked. Yellow that stays means that GPUs are what the lab waits for.',
      unit: 'short',
      width: 6,
      draw: 'stacked',
      noValue: 'no Experiment',
      colors: runPhases.map((phase) => [phase, phaseColors[phase]]),
      queries: [
        {
          expr: `sum by (phase) (destillml_experiment_runs{${namespaces}}) > 0`,
          legend: '{{phase}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'Idle while held by namespace',
      description: `GPUs that Runs hold and that are busy for less than ${idleBelow}% of the time: others could have them.`,
      unit: 'none',
      width: 12,
      height: 7,
      draw: 'stacked',
      noValue: 'no DCGM exporter',
      colors: [],
      queries: [
        {
          expr: `topk(20, sum by (namespace) (${isIdle} and on (namespace, pod) ${podsOf(namespaces)}))`,
          legend: '{{namespace}}',
        },
      ],
    }),
    new Table({
      title: 'Runs that hold idle GPUs',
      description:
        'Now, ten at most: a click leads to the Run, whose dashboard says what it does instead. Starting and evaluating take a moment, too.',
      unit: 'none',
      decimals: 0,
      width: 12,
      height: 7,
      noValue: 'none, or no DCGM exporter',
      sortBy: { column: 'Idle GPUs', descending: true },
      ...idleRuns,
      overrides: [
        ...overrides,
        // The name of the Run begins with it.
        { field: 'experiment', properties: hidden },
        { field: 'run', properties: { links: [toRun], ...wide(360) } },
      ],
    }),
  ],
});
