import { mapNames, mapTitles } from '@destillml/core/api/explain.ts';
import { BarChart } from './grafana/bar-chart.ts';
import { columns } from './grafana/columns.ts';
import { Dashboard } from './grafana/dashboard.ts';
import { palette, phaseColors, roleColors } from './grafana/palette.ts';
import { Row } from './grafana/row.ts';
import { Stat } from './grafana/stat.ts';
import { coloredCell, Table, type TableOptions } from './grafana/table.ts';
import { TimeSeries } from './grafana/time-series.ts';
import { queryVariable } from './grafana/variables.ts';
import { XYChart } from './grafana/xy-chart.ts';
import { happenings } from './happenings.ts';
import { phaseTimeline } from './phase-timeline.ts';
import { chosen, toRun, variables } from './selectors.ts';

const { experiments } = chosen;

/** What is compared: the teacher, each student's baseline, and each arm with each student. */
const technique = ['namespace', 'experiment', 'stage', 'student', 'role', 'arm'];
const byTechnique = technique.join(', ');
const name = '{{role}} {{arm}} {{student}}';

const stat = (title: string, description: string, unit: 'percentunit' | 'h' | 'short', expr: string) =>
  new Stat({
    width: 4,
    height: 4,
    title,
    description,
    unit,
    decimals: unit === 'percentunit' ? 2 : 1,
    noValue: 'not yet',
    queries: [{ expr, legend: title, instant: true }],
  });

const result = new Row({
  title: 'Result',
  panels: [
    stat(
      'Teacher',
      'Mean test accuracy of the teacher: what students are measured against.',
      'percentunit',
      `avg(destillml_experiment_test_accuracy{${experiments}, role="teacher"})`,
    ),
    stat(
      'Best baseline',
      'Highest mean test accuracy of a student that was trained on the labels alone.',
      'percentunit',
      `max(destillml_experiment_test_accuracy{${experiments}, role="baseline"})`,
    ),
    stat(
      'Best distilled student',
      'Highest mean test accuracy over the seeds of an arm and student.',
      'percentunit',
      `max(destillml_experiment_test_accuracy{${experiments}, role="distilled"})`,
    ),
    stat(
      'Greatest gain',
      'Highest mean gain of an arm over the baseline of the same student and seeds, in percentage points.',
      'percentunit',
      `max(destillml_experiment_gain{${experiments}})`,
    ),
    stat(
      'Runs that ended',
      'Share of the Runs that succeeded, failed, were stopped or skipped.',
      'percentunit',
      `sum(destillml_run_phase{${experiments}, phase=~"Succeeded|Failed|Stopped|Skipped"}) / sum(destillml_run_phase{${experiments}})`,
    ),
    stat(
      'GPU hours',
      'GPU time of all Runs so far, over all attempts.',
      'h',
      `sum(destillml_run_gpu_seconds_total{${experiments}}) / 3600`,
    ),
    new Table({
      title: 'Techniques',
      description:
        'Means over seeds; in the stage search are the trials that were trained to their end, which are no result. Gain: over the baseline of the same student. Gap closed: gain as a share of its distance to the teacher. Retained: share of the teacher’s accuracy.',
      unit: 'percentunit',
      decimals: 2,
      width: 24,
      height: 9,
      sortBy: { column: 'Test accuracy', descending: true },
      overrides: [
        { field: 'Test accuracy', properties: coloredCell },
        { field: /^(Runs|Parameters|FLOPs)$/, properties: { unit: 'short', decimals: 1 } },
        { field: 'Runs', properties: { decimals: 0 } },
        { field: /time$/, properties: { unit: 's', decimals: 1 } },
      ],
      ...columns(technique, [
        {
          expr: `count by (${byTechnique}) (destillml_run_accuracy{${experiments}, split="test"})`,
          legend: 'Runs',
        },
        {
          expr: `max by (${byTechnique}) (destillml_experiment_test_accuracy{${experiments}})`,
          legend: 'Test accuracy',
        },
        {
          expr: `max by (${byTechnique}) (destillml_experiment_test_accuracy_deviation{${experiments}})`,
          legend: '± deviation',
        },
        { expr: `max by (${byTechnique}) (destillml_experiment_gain{${experiments}})`, legend: 'Gain' },
        {
          expr: `max by (${byTechnique}) (destillml_experiment_gap_closed_ratio{${experiments}})`,
          legend: 'Gap closed',
        },
        {
          expr: `max by (${byTechnique}) (destillml_experiment_accuracy_retained_ratio{${experiments}})`,
          legend: 'Retained',
        },
        {
          expr: `avg by (${byTechnique}) (destillml_run_training_seconds{${experiments}})`,
          legend: 'Training time',
        },
        {
          expr: `sum by (${byTechnique}) (destillml_run_gpu_seconds_total{${experiments}, role!="explanation"})`,
          legend: 'GPU time',
        },
        { expr: `max by (${byTechnique}) (destillml_run_parameters{${experiments}})`, legend: 'Parameters' },
        { expr: `max by (${byTechnique}) (destillml_run_flops{${experiments}})`, legend: 'FLOPs' },
      ]),
    }),
  ],
});

const curves = new Row({
  title: 'Over time',
  panels: [
    new TimeSeries({
      title: 'Validation accuracy over time',
      description:
        'Best so far, mean over the seeds of each technique; trials of a search are below. It stays when the pods are gone.',
      unit: 'percentunit',
      decimals: 2,
      width: 12,
      height: 10,
      queries: [
        {
          expr: `avg by (${byTechnique}) (destillml_run_accuracy{${experiments}, stage!="search", split="validation"})`,
          legend: name,
        },
      ],
    }),
    phaseTimeline({ where: experiments, width: 12, height: 10 }),
  ],
});

/** Points of each role in its colour: what Runs cost against what they are worth. */
function accuracyAgainst(
  x: { name: string; metric: string; unit: string },
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
    x: x.name,
    y: roles.map((role) => ({ column: role, color: roleColors[role] })),
    overrides: [{ field: x.name, properties: { unit: x.unit } }],
    ...columns(
      ['namespace', 'run'],
      [
        { expr: `max by (namespace, run) (${x.metric}{${experiments}})`, legend: x.name },
        ...roles.map((role) => ({
          expr: `max by (namespace, run) (destillml_run_accuracy{${experiments}, role="${role}", split="test"})`,
          legend: role,
        })),
      ],
    ),
  });
}

const worth = new Row({
  title: 'What it costs',
  panels: [
    accuracyAgainst(
      { name: 'Training time', metric: 'destillml_run_training_seconds', unit: 's' },
      'Accuracy against training time',
      'One point for each Run: the higher and the further left, the better.',
    ),
    accuracyAgainst(
      { name: 'Parameters', metric: 'destillml_run_parameters', unit: 'short' },
      'Accuracy against parameters',
      'One point for each Run: a distilled student that stands above the baseline of its size was worth the teacher.',
    ),
    new BarChart({
      title: 'Test accuracy by technique',
      description: 'Mean over the seeds of the main stage, best first.',
      unit: 'percentunit',
      decimals: 2,
      min: 0,
      width: 12,
      x: 'network',
      ...columns(
        ['network'],
        [
          {
            expr: byNetwork('destillml_experiment_test_accuracy'),
            legend: 'Test accuracy',
          },
        ],
      ),
    }),
    new BarChart({
      title: 'Training time by technique',
      description:
        'Mean over the seeds of the main stage of the time spent in training steps and validation.',
      unit: 's',
      min: 0,
      width: 12,
      x: 'network',
      ...columns(
        ['network'],
        [
          {
            expr: byNetwork('destillml_run_training_seconds'),
            legend: 'Training time',
          },
        ],
      ),
    }),
  ],
});

/** Mean over the seeds of the main stage, largest first, by network. */
function byNetwork(metric: string): string {
  return `sort_desc(avg by (network) (${withNetwork(metric, 'stage="main", ')}))`;
}

/** With the label network: `teacher`, `small soft-targets`, `scarcity small soft-targets`. */
function withNetwork(metric: string, matchers: string): string {
  const series = (arm: string) => `${metric}{${experiments}, ${matchers}${arm}}`;
  const technique = [
    `label_replace(${series('arm!=""')}, "technique", "$1", "arm", "(.+)")`,
    `label_replace(${series('arm=""')}, "technique", "$1", "role", "(.+)")`,
  ].join(' or ');
  const stage = `label_replace(${technique}, "stage", "", "stage", "main")`;
  const joined = `label_join(${stage}, "network", " ", "stage", "student", "technique")`;
  return `label_replace(${joined}, "network", "$1", "network", " *(.+)")`;
}

/** A network in each row and the maps of a method in each column, with one number of them. */
function byMap({
  metric,
  matchers = '',
  ...panel
}: Pick<TableOptions, 'title' | 'description' | 'unit' | 'decimals' | 'min' | 'max'> & {
  readonly metric: string;
  readonly matchers?: string;
}) {
  const network = ['namespace', 'experiment', 'network'];
  return new Table({
    ...panel,
    width: 12,
    height: 7,
    noValue: 'not explained',
    sortBy: { column: 'network', descending: false },
    overrides: mapNames.map((map) => ({ field: mapTitles[map], properties: coloredCell })),
    ...columns(
      network,
      mapNames.map((map) => ({
        expr: `avg by (${network.join(', ')}) (${withNetwork(metric, `map="${map}", ${matchers}`)})`,
        legend: mapTitles[map],
      })),
    ),
  });
}

const looks = new Row({
  title: 'What the networks look at',
  panels: [
    byMap({
      title: 'Agreement with the teacher',
      description:
        'Rank correlation of the maps of a network with those of the teacher, mean over the images: 1 where both order all pixels alike, 0 where they have nothing to do with one another, −1 where the order is the opposite. A distilled student above its baseline has learned where to look too.',
      unit: 'short',
      decimals: 2,
      min: -1,
      max: 1,
      metric: 'destillml_explanation_agreement',
      matchers: 'role!="teacher", ',
    }),
    byMap({
      title: 'Top 20% shared with the teacher',
      description:
        'Share of the fifth of the pixels that matter most to a network which is in that of the teacher, mean over the images. Chance gives 20%.',
      unit: 'percentunit',
      decimals: 0,
      min: 0,
      max: 1,
      metric: 'destillml_explanation_top_overlap_ratio',
      matchers: 'role!="teacher", ',
    }),
    byMap({
      title: 'Insertion',
      description:
        'Probability that a network gives the class while the image is put together, the pixels first that its map says matter most: the higher, the truer the map. Compare maps of one network: one that is less sure has lower numbers throughout.',
      unit: 'percentunit',
      decimals: 1,
      metric: 'destillml_explanation_insertion_ratio',
    }),
    byMap({
      title: 'Deletion',
      description:
        'Probability that a network gives the class while the image is taken apart, the pixels first that its map says matter most: the lower, the truer the map. Compare maps of one network: one that is less sure has lower numbers throughout.',
      unit: 'percentunit',
      decimals: 1,
      metric: 'destillml_explanation_deletion_ratio',
    }),
  ],
});

/** A Run, and what is compared by it. */
const eachRun = ['namespace', 'experiment', 'run', 'role', 'arm', 'student', 'seed'];
const byRun = eachRun.join(', ');

const seeds = new Row({
  title: 'Every Run',
  panels: [
    new Table({
      title: 'Runs',
      description:
        'One row for each Run. How far the seeds of one technique are apart tells what differences mean anything.',
      unit: 'percentunit',
      decimals: 2,
      width: 24,
      height: 10,
      sortBy: { column: 'Test accuracy', descending: true },
      overrides: [
        { field: 'run', properties: { links: [toRun] } },
        { field: 'Test accuracy', properties: coloredCell },
        { field: /time$/, properties: { unit: 's', decimals: 1 } },
        { field: /^(Attempts|Preemptions)$/, properties: { unit: 'none' } },
      ],
      ...columns(eachRun, [
        {
          expr: `max by (${byRun}) (destillml_run_accuracy{${experiments}, split="test"})`,
          legend: 'Test accuracy',
        },
        {
          expr: `max by (${byRun}) (destillml_run_accuracy{${experiments}, split="validation"})`,
          legend: 'Validation accuracy',
        },
        {
          expr: `max by (${byRun}) (destillml_run_training_seconds{${experiments}})`,
          legend: 'Training time',
        },
        {
          expr: `max by (${byRun}) (destillml_run_gpu_seconds_total{${experiments}})`,
          legend: 'GPU time',
        },
        { expr: `max by (${byRun}) (destillml_run_attempts_total{${experiments}})`, legend: 'Attempts' },
        {
          expr: `max by (${byRun}) (destillml_run_preemptions_total{${experiments}})`,
          legend: 'Preemptions',
        },
      ]),
    }),
  ],
});

const parameter = (name: string, label: string, at: 'first' | 'last') =>
  queryVariable({
    name,
    label,
    description: 'A number that the sweep varies.',
    of: 'parameter',
    series: `destillml_run_parameter{${experiments}}`,
    multi: false,
    at,
  });

/** The value of a swept parameter as a label of that name. */
const labelOf = (label: 'x' | 'y', variable: string) =>
  `count_values by (namespace, experiment, run) ("${label}", destillml_run_parameter{${experiments}, parameter="$${variable}"})`;

/** Only Runs of a search, with their study. */
const ofTrials = (series: string) =>
  `${series} * on (namespace, experiment, run) group_left (study) (destillml_run_trial{${experiments}} > bool 0)`;

const sweep = new Row({
  title: 'Sweep',
  collapsed: true,
  panels: [
    new XYChart({
      title: 'Every trial',
      description:
        'One point for each Run of the search by its number: best validation accuracy of it, however far it came.',
      unit: 'percentunit',
      decimals: 1,
      width: 12,
      x: 'Trial',
      y: [{ column: 'Validation accuracy', color: palette.blue }],
      overrides: [{ field: 'Trial', properties: { unit: 'none' } }],
      ...columns(
        ['namespace', 'run'],
        [
          { expr: `max by (namespace, run) (destillml_run_trial{${experiments}})`, legend: 'Trial' },
          {
            expr: `max by (namespace, run) (${ofTrials(`destillml_run_accuracy{${experiments}, split="validation"}`)})`,
            legend: 'Validation accuracy',
          },
        ],
      ),
    }),
    new TimeSeries({
      title: 'Best of each study so far',
      description:
        'Highest validation accuracy that a trial of the study has reported; of one seed, the best of many: what it comes to with all seeds is above.',
      unit: 'percentunit',
      decimals: 2,
      width: 12,
      queries: [
        {
          expr: `max by (namespace, experiment, study) (destillml_study_best_accuracy{${experiments}})`,
          legend: '{{study}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'Trials by phase',
      description: 'Runs of all studies. Paused: at a rung, trained on if it is among the best.',
      unit: 'none',
      draw: 'stacked',
      width: 8,
      colors: Object.entries(phaseColors),
      queries: [{ expr: `sum by (phase) (destillml_study_runs{${experiments}})`, legend: '{{phase}}' }],
    }),
    new BarChart({
      title: 'Trials by epoch reached',
      description:
        'How many trials have come as far as to each epoch, and not beyond, the most first: many at the first rung, few at the end.',
      unit: 'none',
      min: 0,
      width: 8,
      x: 'epoch',
      ...columns(
        ['epoch'],
        [
          {
            expr: `sort_desc(count_values("epoch", floor(max by (namespace, experiment, run) (${ofTrials(`destillml_run_epoch{${experiments}}`)}))))`,
            legend: 'Trials',
          },
        ],
      ),
    }),
    new Table({
      title: 'Best values',
      description: 'What the best trial of each study sets; of what is there or not 1 or 0.',
      unit: 'none',
      width: 8,
      sortBy: { column: 'study', descending: false },
      ...columns(
        ['study', 'parameter'],
        [
          {
            expr: `max by (study, parameter) (destillml_study_best_value{${experiments}})`,
            legend: 'Best value',
          },
        ],
      ),
    }),
    new Table({
      title: 'Parameters against accuracy',
      description:
        'Best validation accuracy of the Runs with each pair of values: $parameter across, $other down. Empty where nothing was tried.',
      unit: 'percentunit',
      decimals: 1,
      width: 24,
      height: 10,
      overrides: [
        { field: /^(?!y\\x$)/, properties: coloredCell },
        { field: 'y\\x', properties: { displayName: '$other \\ $parameter', unit: 'none' } },
      ],
      sortBy: { column: 'y\\x', descending: false },
      queries: [
        {
          expr: `max by (x, y) (destillml_run_accuracy{${experiments}, split="validation"} * on (namespace, experiment, run) group_left (x) ${labelOf('x', 'parameter')} * on (namespace, experiment, run) group_left (y) ${labelOf('y', 'other')})`,
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
        { id: 'groupingToMatrix', options: { columnField: 'x', rowField: 'y', valueField: 'Value' } },
      ],
    }),
    ...(['parameter', 'other'] as const).map(
      (variable) =>
        new XYChart({
          title: `Accuracy against $${variable}`,
          description:
            'One point for each Run of the sweep: best validation accuracy against the value that it was given.',
          unit: 'percentunit',
          decimals: 1,
          width: 12,
          x: 'Value of the parameter',
          y: [{ column: 'Validation accuracy', color: palette.blue }],
          overrides: [{ field: 'Value of the parameter', properties: { unit: 'none' } }],
          ...columns(
            ['namespace', 'run'],
            [
              {
                expr: `max by (namespace, run) (destillml_run_parameter{${experiments}, parameter="$${variable}"})`,
                legend: 'Value of the parameter',
              },
              {
                expr: `max by (namespace, run) (${ofTrials(`destillml_run_accuracy{${experiments}, split="validation"}`)})`,
                legend: 'Validation accuracy',
              },
            ],
          ),
        }),
    ),
  ],
});

export const experiment = new Dashboard({
  uid: 'destillml-experiment',
  title: 'DestillML / Experiment',
  description:
    'What each technique gains and what it costs: accuracy of teacher, baselines and arms, what they look at, seeds, sweeps.',
  since: '24h',
  variables: [
    ...variables.experiment,
    parameter('parameter', 'Parameter', 'first'),
    parameter('other', 'Other parameter', 'last'),
  ],
  annotations: happenings(experiments),
  rows: [result, curves, worth, looks, seeds, sweep],
});
