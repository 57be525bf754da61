import { columns } from '../grafana/columns.ts';
import { states } from '../grafana/palette.ts';
import { Row } from '../grafana/row.ts';
import { Stat } from '../grafana/stat.ts';
import { Table, wide, wordCell } from '../grafana/table.ts';
import { Text } from '../grafana/text.ts';
import { phaseNumber, phaseTimeline, phaseWords } from '../phases.ts';
import { chosen } from '../selectors.ts';
import { byRun, runNamed } from './names.ts';

const { runs } = chosen;

const number = { width: 4, height: 4, isNamed: true } as const;
const ofRun = (expr: string) => [{ expr: runNamed(expr), legend: '{{name}}', instant: true }];

const { overrides, ...why } = columns(['run'], `destillml_run_info{${runs}}`, [
  { expr: `max by (run) (${phaseNumber(runs)})`, legend: 'Phase' },
  {
    expr: `group by (run, reason, message) (destillml_run_reason{${runs}})`,
    says: ['reason', 'message'],
  },
]);

export const state = new Row({
  title: 'Where is it, and why?',
  panels: [
    new Stat({
      ...number,
      title: 'Epochs done',
      description: 'Share of the epochs that are done. A Run that stops early ends before 100%.',
      unit: 'percentunit',
      decimals: 0,
      noValue: 'not yet',
      queries: ofRun(
        `max by (${byRun}) (destillml_run_epoch{${runs}}) / max by (${byRun}) (destillml_run_epochs{${runs}})`,
      ),
    }),
    new Stat({
      ...number,
      title: 'Validation accuracy',
      description:
        'Share of the validation images, which are never trained on, that the best epoch so far got right.',
      unit: 'percentunit',
      decimals: 2,
      noValue: 'not yet',
      queries: ofRun(`max by (${byRun}) (destillml_run_accuracy{${runs}, split="validation"})`),
    }),
    new Stat({
      ...number,
      title: 'Test accuracy',
      description:
        'Share of the test images that are right, with the weights of the best epoch. Read once, at the end.',
      unit: 'percentunit',
      decimals: 2,
      noValue: 'not yet',
      queries: ofRun(`max by (${byRun}) (destillml_run_accuracy{${runs}, split="test"})`),
    }),
    new Stat({
      ...number,
      title: 'Time to the end',
      description: 'By the pace so far. Where the Run is if it does not train, stands below.',
      unit: 'dtdhms',
      noValue: 'does not train',
      queries: ofRun(`max by (${byRun}) (destillml_run_eta_seconds{${runs}})`),
    }),
    new Stat({
      ...number,
      title: 'GPU time',
      description:
        'What the Run has cost so far: time of its pods, each counted by its GPUs, over all attempts.',
      unit: 'dtdhms',
      noValue: 'not yet',
      queries: ofRun(`max by (${byRun}) (destillml_run_gpu_seconds_total{${runs}})`),
    }),
    new Stat({
      ...number,
      title: 'Attempts',
      description:
        'Times that the Run was started. More than one: it failed or gave way, and went on from its checkpoint.',
      unit: 'none',
      decimals: 0,
      noValue: 'not yet',
      thresholds: [
        { from: 0, color: states.good },
        { from: 2, color: states.warning },
        { from: 4, color: states.bad },
      ],
      queries: ofRun(`max by (${byRun}) (destillml_run_attempts_total{${runs}})`),
    }),
    new Table({
      title: 'Phase and reason',
      description:
        'Where each Run is, and why; with the words of what failed or does not get on. `kubectl describe drun` has all of it.',
      unit: 'string',
      width: 12,
      height: 6,
      noValue: '–',
      sortBy: { column: 'run', descending: false },
      ...why,
      overrides: [
        ...overrides,
        { field: 'run', properties: wide(260) },
        { field: 'Phase', properties: { unit: 'none', ...wordCell(phaseWords), ...wide(100) } },
        { field: 'reason', properties: wide(160) },
      ],
    }),
    phaseTimeline({
      where: runs,
      width: 12,
      height: 6,
      rows: runNamed(`group by (namespace, experiment, run) (destillml_run_info{${runs}})`),
    }),
    new Text({
      title: 'Its logs',
      description:
        'Commands for the Runs that are chosen: what the trainer says, and what Kubernetes says of its pods.',
      width: 24,
      height: 4,
      content: [
        `\`kubectl logs --all-namespaces --prefix --tail=100 -l "destillml.io/run in (\${run:csv})"\``,
        `\`kubectl get events --all-namespaces | grep -E '\${run:pipe}'\``,
      ].join('\n\n'),
    }),
  ],
});
