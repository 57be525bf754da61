import { columns } from '../grafana/columns.ts';
import { Row } from '../grafana/row.ts';
import { Table, wide } from '../grafana/table.ts';
import { chosen, toExperiment } from '../selectors.ts';

const { namespaces } = chosen;
const place = ['namespace', 'experiment'] as const;
const by = place.join(', ');

const { overrides, ...asked } = columns(place, `destillml_experiment_info{${namespaces}}`, [
  {
    expr: `time() - max by (${by}) (destillml_experiment_created_time_seconds{${namespaces}})`,
    legend: 'Age',
  },
  ...(['Running', 'Queued', 'Succeeded', 'Failed'] as const).map((phase) => ({
    expr: `max by (${by}) (destillml_experiment_runs{${namespaces}, phase="${phase}"})`,
    legend: phase,
  })),
  { expr: `sum by (${by}) (destillml_experiment_runs{${namespaces}})`, legend: 'Runs' },
  {
    expr: `max by (${by}) (destillml_experiment_test_accuracy{${namespaces}, role="distilled"})`,
    legend: 'Best distilled',
  },
  {
    expr: `max by (${by}) (destillml_experiment_gain{${namespaces}, stage="main"})`,
    legend: 'Greatest gain',
  },
  { expr: `sum by (${by}) (destillml_run_gpu_seconds_total{${namespaces}}) / 3600`, legend: 'GPU hours' },
]);

export const experiments = new Row({
  title: 'Which Experiments are there?',
  panels: [
    new Table({
      title: 'All Experiments',
      description: 'One row for each Experiment, the newest first: a click leads to its dashboard.',
      unit: 'none',
      width: 24,
      height: 10,
      decimals: 0,
      noValue: '–',
      sortBy: { column: 'Age', descending: false },
      ...asked,
      overrides: [
        ...overrides,
        { field: 'experiment', properties: { links: [toExperiment], ...wide(240) } },
        { field: 'Age', properties: { unit: 'dtdhms' } },
        { field: 'GPU hours', properties: { decimals: 1 } },
        { field: /^(Best distilled|Greatest gain)$/, properties: { unit: 'percentunit', decimals: 2 } },
      ],
    }),
  ],
});
