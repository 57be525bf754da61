import { BarChart } from './grafana/bar-chart.ts';
import { columns, onlyColumn } from './grafana/columns.ts';
import { Dashboard } from './grafana/dashboard.ts';
import { palette, phaseColors } from './grafana/palette.ts';
import { Row } from './grafana/row.ts';
import { gradedCell, Table, wide } from './grafana/table.ts';
import { TimeSeries } from './grafana/time-series.ts';
import { oneVariable } from './grafana/variables.ts';
import { XYChart } from './grafana/xy-chart.ts';
import { chosen, toRun, variables } from './selectors.ts';

const { experiments } = chosen;
const eachRun = 'namespace, experiment, run';

/** Of Runs of a search, with their study. */
const ofTrials = (series: string) =>
  `${series} * on (${eachRun}) group_left (study) (destillml_run_trial{${experiments}} > bool -1)`;
const validation = `max by (${eachRun}) (${ofTrials(`destillml_run_accuracy{${experiments}, split="validation"}`)})`;

const parameter = (name: string, label: string, at: 'first' | 'last') =>
  oneVariable({
    name,
    label,
    description: 'A number that the sweep varies.',
    of: 'parameter',
    series: `destillml_run_parameter{${experiments}}`,
    at,
  });

/**
 * The value of a swept parameter as a label of that name, to one significant digit: of a number that is searched
 * continuously no two trials have the same, and a matrix of them would have a cell of its own for each.
 */
const labelOf = (label: 'x' | 'y', variable: string) => {
  const value = `destillml_run_parameter{${experiments}, parameter="$${variable}"}`;
  // Divided by a power of ten, and not multiplied by its inverse: 0.3, and not 0.30000000000000004.
  const scale = `(10 ^ -floor(log10(${value} > 0)))`;
  const rounded = `floor((${value} > 0) * ${scale} + 0.5) / ${scale} or ${value} <= 0`;
  return `count_values by (${eachRun}) ("${label}", ${rounded})`;
};
const byPair = `max by (x, y) (${validation} * on (${eachRun}) group_left (x) ${labelOf('x', 'parameter')} * on (${eachRun}) group_left (y) ${labelOf('y', 'other')})`;

/** One point for each trial of its validation accuracy against a number. */
function accuracyAgainst(title: string, description: string, x: { name: string; expr: string }) {
  return new XYChart({
    title,
    description,
    unit: 'percentunit',
    decimals: 1,
    width: 12,
    noValue: 'no trial yet',
    x: x.name,
    draw: 'points',
    labels: { x: x.name, y: 'validation accuracy in %' },
    colors: { 'validation accuracy': palette.blue },
    ...columns(['namespace', 'run'], `destillml_run_trial{${experiments}}`, [
      { expr: `max by (namespace, run) (${x.expr})`, legend: x.name },
      { expr: `max by (namespace, run) (${validation})`, legend: 'validation accuracy' },
    ]),
  });
}

const bestValues = columns(
  ['experiment', 'study', 'parameter'],
  `destillml_study_best_value{${experiments}}`,
  [
    {
      expr: `max by (experiment, study, parameter) (destillml_study_best_value{${experiments}})`,
      legend: 'Best value',
    },
  ],
);

const search = new Row({
  title: 'What has the search found, and is it still getting better?',
  panels: [
    accuracyAgainst(
      'Every trial',
      'One point for each Run of the search by its number: best validation accuracy of it, however far it came.',
      { name: 'trial', expr: `destillml_run_trial{${experiments}}` },
    ),
    new TimeSeries({
      title: 'Best of each study so far',
      description:
        'Highest validation accuracy that a trial of the study has reported; of one seed, the best of many: what it comes to with all seeds, the Experiment dashboard says.',
      unit: 'percentunit',
      decimals: 2,
      width: 12,
      noValue: 'no trial yet',
      queries: [
        {
          expr: `max by (namespace, experiment, study) (destillml_study_best_accuracy{${experiments}})`,
          legend: '{{experiment}} {{study}}',
        },
      ],
    }),
    bestTrials(),
    new Table({
      title: 'Best values',
      description: 'What the best trial of each study sets; of what is there or not 1 or 0.',
      unit: 'none',
      width: 8,
      sortBy: { column: 'study', descending: false },
      ...bestValues,
      overrides: [...bestValues.overrides, { field: 'parameter', properties: wide(220) }],
    }),
  ],
});

function bestTrials() {
  const labels = ['namespace', 'experiment', 'run', 'study'] as const;
  const by = labels.join(', ');
  const { overrides, ...asked } = columns(labels, `destillml_run_trial{${experiments}}`, [
    { expr: `max by (${by}) (destillml_run_trial{${experiments}})`, legend: 'Trial' },
    {
      expr: `topk(20, max by (${by}) (${ofTrials(`destillml_run_accuracy{${experiments}, split="validation"}`)}))`,
      legend: 'Validation',
    },
    {
      expr: `max by (${by}) (${ofTrials(`destillml_run_epoch{${experiments}}`)})`,
      legend: 'Epochs',
    },
  ]);
  return new Table({
    title: 'Best trials',
    description: 'The best twenty have their validation accuracy: a click leads to the dashboard of the Run.',
    unit: 'percentunit',
    decimals: 2,
    width: 16,
    noValue: '–',
    sortBy: { column: 'Validation', descending: true },
    ...asked,
    overrides: [
      ...overrides,
      { field: 'run', properties: { links: [toRun], ...wide(280) } },
      { field: /^(Trial|Epochs)$/, properties: { unit: 'none', decimals: 0, ...wide(80) } },
    ],
  });
}

const progress = new Row({
  title: 'How far has it come?',
  panels: [
    new TimeSeries({
      title: 'Trials by phase',
      description: 'Runs of all studies. Paused: at a rung, trained on if it is among the best.',
      unit: 'none',
      draw: 'stacked',
      width: 12,
      colors: Object.entries(phaseColors),
      queries: [{ expr: `sum by (phase) (destillml_study_runs{${experiments}}) > 0`, legend: '{{phase}}' }],
    }),
    new BarChart({
      title: 'Trials by epoch reached',
      description:
        'How many trials have come as far as to each epoch, and not beyond: many at the first rung, few at the end.',
      unit: 'none',
      min: 0,
      width: 12,
      x: 'epoch',
      ...onlyColumn('epoch', { expr: `sort_desc(${reached()})`, legend: 'Trials' }),
    }),
  ],
});

function reached(): string {
  return `count_values("epoch", floor(max by (${eachRun}) (${ofTrials(`destillml_run_epoch{${experiments}}`)})))`;
}

const parameters = new Row({
  title: 'Which values are good?',
  panels: [
    ...(['parameter', 'other'] as const).map((variable) =>
      accuracyAgainst(
        `Accuracy against $${variable}`,
        'One point for each trial: best validation accuracy against the value that it was given.',
        {
          name: 'value',
          expr: `destillml_run_parameter{${experiments}, parameter="$${variable}"}`,
        },
      ),
    ),
    new Table({
      title: 'Below the best',
      description:
        'How far the best trial with each pair of values, to one digit, is below the best of all, in validation accuracy: $parameter across, $other down. Empty where nothing was tried.',
      unit: 'percentunit',
      decimals: 1,
      width: 24,
      height: 10,
      noValue: ' ',
      ...matrixCells(),
      queries: [
        {
          expr: `${byPair} - on () group_left () max(${byPair})`,
          legend: 'accuracy',
          instant: true,
          format: 'table',
        },
      ],
      transformations: [
        {
          id: 'convertFieldType',
          options: {
            fields: {},
            conversions: ['x', 'y'].map((targetField) => ({ targetField, destinationType: 'number' })),
          },
        },
        { id: 'sortBy', options: { fields: {}, sort: [{ field: 'x' }] } },
        {
          id: 'groupingToMatrix',
          options: { columnField: 'x', rowField: 'y', valueField: 'Value', emptyValue: 'null' },
        },
        // The matrix makes texts of its rows.
        {
          id: 'convertFieldType',
          options: {
            fields: {},
            conversions: [{ targetField: String.raw`y\x`, destinationType: 'number' }],
          },
        },
        { id: 'sortBy', options: { fields: {}, sort: [{ field: String.raw`y\x` }] } },
      ],
    }),
  ],
});

function matrixCells() {
  const graded = gradedCell([
    { from: -1, color: palette.vermilion },
    { from: -0.1, color: palette.orange },
    { from: -0.05, color: palette.yellow },
    { from: -0.02, color: palette.sky },
    { from: -0.005, color: palette.blue },
  ]);
  return {
    overrides: [
      { field: /^(?!y\\x$)/, properties: graded },
      { field: 'y\\x', properties: { displayName: '$other \\ $parameter', unit: 'string', ...wide(160) } },
    ],
  };
}

export const sweep = new Dashboard({
  uid: 'destillml-sweep',
  title: 'DestillML / Sweep',
  description:
    'The search of an Experiment: its best trials so far, how far they came, and which values of the parameters are good.',
  since: '6h',
  variables: [
    ...variables.sweep,
    parameter('parameter', 'Parameter', 'first'),
    parameter('other', 'Other parameter', 'last'),
  ],
  annotations: [],
  rows: [search, progress, parameters],
});
