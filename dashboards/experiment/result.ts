import { columns } from '../grafana/columns.ts';
import { palette, states } from '../grafana/palette.ts';
import { Row } from '../grafana/row.ts';
import { Stat } from '../grafana/stat.ts';
import { barCell, gradedCell, hidden, Table, wide, wordCell } from '../grafana/table.ts';
import { byNetwork, named, network, ofNetworks } from '../networks.ts';
import { chosen } from '../selectors.ts';

const { experiments } = chosen;

const stat = (title: string, description: string, legend: string, expr: string) =>
  new Stat({
    width: 4,
    height: 4,
    title,
    description,
    unit: 'percentunit',
    decimals: 2,
    noValue: 'not yet',
    isNamed: true,
    queries: [{ expr, legend, instant: true }],
  });

/** The greatest of each Experiment, with the labels that say of what it is. */
const best = (metric: string, role: string) =>
  named(
    `topk by (namespace, experiment) (1, max by (namespace, experiment, student, arm) (${metric}{${experiments}, role="${role}", stage="main"}))`,
    'student',
    'arm',
  );

/** 1: the whole interval is above zero, −1: below, 0: it holds zero. */
const verdict = [
  `max by (${byNetwork}) (${ofNetworks('destillml_experiment_gain_low')}) > bool 0`,
  `max by (${byNetwork}) (${ofNetworks('destillml_experiment_gain_high')}) < bool 0`,
].join(' - ');

export const result = new Row({
  title: 'Does distilling help, by how much, and how sure is it?',
  panels: [
    stat(
      'Teacher',
      'Mean test accuracy of the teacher: what students are measured against.',
      '{{name}}',
      named(
        `avg by (namespace, experiment) (destillml_experiment_test_accuracy{${experiments}, role="teacher"}) * on (namespace, experiment) group_left (teacher) max by (namespace, experiment, teacher) (destillml_experiment_info)`,
        'teacher',
      ),
    ),
    stat(
      'Best baseline',
      'Highest mean test accuracy of a student that was trained on the labels alone.',
      '{{name}}',
      best('destillml_experiment_test_accuracy', 'baseline'),
    ),
    stat(
      'Best distilled student',
      'Highest mean test accuracy over the seeds of an arm and student.',
      '{{name}}',
      best('destillml_experiment_test_accuracy', 'distilled'),
    ),
    stat(
      'Greatest gain',
      'Highest mean gain of an arm over the baseline of the same student and seeds. Whether it is more than chance, the verdict below says.',
      '{{name}}',
      best('destillml_experiment_gain', 'distilled'),
    ),
    stat(
      'Runs that ended',
      'Share of the Runs that succeeded, failed, were stopped or skipped.',
      '{{experiment}}',
      `sum by (namespace, experiment) (destillml_experiment_runs{${experiments}, phase=~"Succeeded|Failed|Stopped|Skipped"}) / (sum by (namespace, experiment) (destillml_experiment_runs{${experiments}}) > 0)`,
    ),
    new Stat({
      title: 'Running Runs end in',
      description: 'By the pace so far, of the Run that ends last. What still waits comes after that.',
      unit: 'dtdhms',
      width: 4,
      height: 4,
      noValue: 'none is running',
      isNamed: true,
      queries: [
        {
          expr: `max by (namespace, experiment) (destillml_run_eta_seconds{${experiments}})`,
          legend: '{{experiment}}',
          instant: true,
        },
      ],
    }),
    new Table({
      title: 'Techniques',
      description:
        'Means over seeds. Gain: over the baseline of the same student, seed by seed, with the ends of its 95 % confidence interval. Verdict: within noise where that interval holds zero; empty with one seed. Gap closed: gain as a share of the distance of the baseline to the teacher.',
      unit: 'percentunit',
      decimals: 2,
      width: 24,
      height: 9,
      noValue: '–',
      sortBy: { column: 'Test accuracy', descending: true },
      ...withOverrides(
        columns(network, ofNetworks('destillml_run_info', 'role!="explanation"'), [
          {
            expr: `count by (${byNetwork}) (${ofNetworks('destillml_run_accuracy', 'split="test"')})`,
            legend: 'Seeds',
          },
          value('destillml_experiment_test_accuracy', 'Test accuracy'),
          value('destillml_experiment_test_accuracy_deviation', '± deviation'),
          value('destillml_experiment_gain', 'Gain'),
          value('destillml_experiment_gain_low', 'from'),
          value('destillml_experiment_gain_high', 'to'),
          { expr: verdict, legend: 'Verdict' },
          value('destillml_experiment_gap_closed_ratio', 'Gap closed'),
        ]),
      ),
    }),
  ],
});

function value(metric: string, legend: string) {
  return { expr: `max by (${byNetwork}) (${ofNetworks(metric)})`, legend };
}

function withOverrides({ overrides, ...rest }: ReturnType<typeof columns>) {
  return {
    ...rest,
    overrides: [
      ...overrides,
      { field: 'namespace', properties: hidden },
      { field: 'network', properties: wide(220) },
      { field: 'Seeds', properties: { unit: 'none', decimals: 0, ...wide(70) } },
      { field: 'Test accuracy', properties: barCell(0, 1) },
      {
        field: 'Gain',
        properties: gradedCell([
          { from: -1, color: states.warning },
          { from: 0, color: states.good },
        ]),
      },
      {
        field: 'Verdict',
        properties: {
          unit: 'none',
          ...wordCell([
            { value: 1, text: 'helps', color: palette.sky },
            { value: 0, text: 'within noise', color: palette.grey },
            { value: -1, text: 'harms', color: palette.vermilion },
          ]),
        },
      },
    ],
  };
}
