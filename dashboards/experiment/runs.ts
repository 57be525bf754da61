import { columns } from '../grafana/columns.ts';
import { Row } from '../grafana/row.ts';
import { barCell, hidden, Table, wide, wordCell } from '../grafana/table.ts';
import { Text } from '../grafana/text.ts';
import { ofNetworks } from '../networks.ts';
import { phaseNumber, phaseWords } from '../phases.ts';
import { chosen, toRun } from '../selectors.ts';

const { experiments } = chosen;
const eachRun = ['namespace', 'experiment', 'run', 'network', 'seed'] as const;
const byRun = eachRun.join(', ');

/** With the labels of the network. */
const joined = (expr: string) =>
  `${expr} * on (namespace, experiment, run) group_left (network, seed) group by (${byRun}) (${ofNetworks('destillml_run_info')})`;
const number = (metric: string, ...matchers: readonly string[]) =>
  `max by (${byRun}) (${ofNetworks(metric, ...matchers)})`;

const { overrides, ...asked } = columns(eachRun, ofNetworks('destillml_run_info'), [
  { expr: joined(phaseNumber(experiments)), legend: 'Phase' },
  {
    expr: joined(
      `max by (namespace, experiment, run) (destillml_run_epoch{${experiments}} / destillml_run_epochs{${experiments}})`,
    ),
    legend: 'Epochs',
  },
  { expr: number('destillml_run_accuracy', 'split="test"'), legend: 'Test' },
  { expr: number('destillml_run_accuracy', 'split="validation"'), legend: 'Validation' },
  { expr: number('destillml_run_training_seconds'), legend: 'Training time' },
  { expr: number('destillml_run_gpu_seconds_total'), legend: 'GPU time' },
  { expr: number('destillml_run_attempts_total'), legend: 'Attempts' },
]);

export const runs = new Row({
  title: 'Which Run is best, and what is wrong with the others?',
  panels: [
    new Table({
      title: 'Runs',
      description:
        'One row for each Run but the trials of a search, best first: a click leads to its dashboard. How far the seeds of one network are apart tells what differences mean anything.',
      unit: 'percentunit',
      decimals: 2,
      width: 24,
      height: 10,
      noValue: '–',
      sortBy: { column: 'Test', descending: true },
      ...asked,
      overrides: [
        ...overrides,
        { field: 'namespace', properties: hidden },
        { field: 'run', properties: { links: [toRun], ...wide(200) } },
        { field: 'network', properties: wide(180) },
        { field: 'seed', properties: wide(50) },
        { field: 'Phase', properties: { unit: 'none', ...wordCell(phaseWords), ...wide(90) } },
        { field: 'Epochs', properties: { decimals: 0, ...barCell(0, 1), ...wide(110) } },
        { field: /time$/, properties: { unit: 'dtdhms', ...wide(90) } },
        { field: 'Attempts', properties: { unit: 'none', decimals: 0, ...wide(80) } },
      ],
    }),
    new Text({
      title: 'The report, and everything in words',
      description:
        'Commands for the Experiments that are chosen: the report has figures, tables and what the networks look at.',
      width: 24,
      height: 4,
      content: [
        '`kubectl describe dexp $experiment` says what every Run waits for or why it failed; `kubectl get drun -l destillml.io/experiment=$experiment` lists them.',
        "The report is kept beside the explanation's figures: `kubectl get drun -l destillml.io/experiment=$experiment,destillml.io/role=explanation -o jsonpath='{.items[*].status.explanation.artifacts}'`.",
      ].join('\n\n'),
    }),
  ],
});
