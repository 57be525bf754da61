import { runPhases } from '@destillml/core/api/meta.ts';
import { ofGpus, podsOf } from '../gpu.ts';
import { BarChart } from '../grafana/bar-chart.ts';
import { onlyColumn } from '../grafana/columns.ts';
import { phaseColors } from '../grafana/palette.ts';
import { Row } from '../grafana/row.ts';
import { TimeSeries } from '../grafana/time-series.ts';
import { chosen } from '../selectors.ts';

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
  ],
});
