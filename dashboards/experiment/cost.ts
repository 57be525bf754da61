import { BarChart } from '../grafana/bar-chart.ts';
import { columns, onlyColumn } from '../grafana/columns.ts';
import { roleColors } from '../grafana/palette.ts';
import { Row } from '../grafana/row.ts';
import { hidden, Table, wide } from '../grafana/table.ts';
import { XYChart } from '../grafana/xy-chart.ts';
import { byNetwork, named, network, ofNetworks } from '../networks.ts';

/** What is trained: explanations are not. */
const trained = ofNetworks('destillml_run_info', 'role!="explanation"');

/** Points of each role in its colour: what networks cost against what they are worth. */
function accuracyAgainst(
  x: { name: string; metric: string; by: number },
  title: string,
  description: string,
) {
  const roles = ['teacher', 'baseline', 'distilled'] as const;
  return new XYChart({
    title,
    description,
    unit: 'percentunit',
    decimals: 1,
    width: 12,
    noValue: 'no result yet',
    x: x.name,
    draw: 'points',
    labels: { x: x.name, y: 'test accuracy in %' },
    colors: roleColors,
    ...columns(network, trained, [
      { expr: `avg by (${byNetwork}) (${ofNetworks(x.metric)}) / ${x.by}`, legend: x.name },
      ...roles.map((role) => ({
        expr: `max by (${byNetwork}) (${ofNetworks('destillml_experiment_test_accuracy', `role="${role}"`)})`,
        legend: role,
      })),
    ]),
  });
}

const { overrides, ...costs } = columns(network, trained, [
  {
    expr: `avg by (${byNetwork}) (${ofNetworks('destillml_run_training_seconds')})`,
    legend: 'Training time',
  },
  {
    expr: `sum by (${byNetwork}) (${ofNetworks('destillml_run_gpu_seconds_total', 'role!="explanation"')})`,
    legend: 'GPU time',
  },
  { expr: `avg by (${byNetwork}) (${ofNetworks('destillml_run_images_per_second')})`, legend: 'Images/s' },
  { expr: `max by (${byNetwork}) (${ofNetworks('destillml_run_parameters')})`, legend: 'Parameters' },
  { expr: `max by (${byNetwork}) (${ofNetworks('destillml_run_flops')})`, legend: 'FLOPs' },
  {
    expr: `max by (${byNetwork}) (${ofNetworks('destillml_experiment_accuracy_retained_ratio')})`,
    legend: 'Retained',
  },
]);

const bars = onlyColumn('name', {
  expr: `sort_desc(topk(12, avg by (name) (${named(ofNetworks('destillml_run_training_seconds'), 'network')}) / 60))`,
  legend: 'minutes',
});

export const cost = new Row({
  title: 'At what cost?',
  panels: [
    new Table({
      title: 'Costs',
      description:
        'Training time: mean over seeds of steps and validation. GPU time: of all seeds and attempts together. Retained: share of the teacher’s accuracy.',
      unit: 'short',
      decimals: 1,
      width: 16,
      height: 8,
      noValue: '–',
      sortBy: { column: 'GPU time', descending: true },
      ...costs,
      overrides: [
        ...overrides,
        { field: 'namespace', properties: hidden },
        { field: 'network', properties: wide(200) },
        { field: /time$/, properties: { unit: 'dtdhms', ...wide(100) } },
        { field: 'Retained', properties: { unit: 'percentunit' } },
      ],
    }),
    new BarChart({
      title: 'Training time by network',
      description: 'Mean over seeds of the minutes in training steps and validation, the twelve longest.',
      unit: 'none',
      min: 0,
      width: 8,
      noValue: 'no result yet',
      x: 'name',
      ...bars,
    }),
    accuracyAgainst(
      { name: 'training time in minutes', metric: 'destillml_run_training_seconds', by: 60 },
      'Accuracy against training time',
      'One point for each network: the higher and the further left, the better.',
    ),
    accuracyAgainst(
      { name: 'parameters in millions', metric: 'destillml_run_parameters', by: 1e6 },
      'Accuracy against parameters',
      'One point for each network: a distilled student that stands above the baseline of its size was worth the teacher.',
    ),
  ],
});
