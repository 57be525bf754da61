import { columns } from '../grafana/columns.ts';
import { Row } from '../grafana/row.ts';
import { hidden, Table, wide } from '../grafana/table.ts';
import { TimeSeries } from '../grafana/time-series.ts';
import { grown } from '../grown.ts';
import { chosen, toRun } from '../selectors.ts';

const { namespaces } = chosen;
const runs = ['namespace', 'experiment', 'run', 'reason', 'message'] as const;
const byReason = runs.join(', ');
/** Of what has failed or does not get on, with its words. */
const trouble = `topk(30, max by (${byReason}) (destillml_run_reason{${namespaces}, message!=""}))`;
const since = `time() - max by (namespace, experiment, run) (destillml_run_completion_time_seconds{${namespaces}} or destillml_run_waiting_since_seconds{${namespaces}})`;
const { overrides, ...asked } = columns(runs, trouble, [
  {
    expr: `${trouble} * on (namespace, experiment, run) group_left () (${since})`,
    legend: 'Since',
  },
]);
/** Alerts of the rules that come with DestillML. */
const firing = 'ALERTS{alertname=~"DestillML.*", alertstate="firing"}';
const alert = ['alertname', 'severity', 'namespace', 'experiment', 'run'] as const;
const alerts = columns(alert, firing, [
  {
    expr: `max by (${alert.join(', ')}) ((time() - ALERTS_FOR_STATE) and ignoring (alertstate) ${firing})`,
    legend: 'Since',
  },
]);

export const broken = new Row({
  title: 'What is broken?',
  panels: [
    new Table({
      title: 'Alerts that fire',
      description:
        'Of the alerts that come with DestillML, since when what they are about is so. What to do stands in the runbook of that name, docs/runbooks.',
      unit: 'string',
      width: 12,
      height: 8,
      noValue: 'none fires, or Prometheus has not loaded the rules',
      sortBy: { column: 'Since', descending: true },
      ...alerts,
      overrides: [
        ...alerts.overrides,
        { field: 'alertname', properties: wide(240) },
        { field: 'Since', properties: { unit: 'dtdhms', ...wide(100) } },
      ],
    }),
    new TimeSeries({
      title: 'Failures by reason',
      description:
        'Attempts that failed in the hour before, by reason. OutOfMemory is retried, TrainingDiverged is not.',
      unit: 'short',
      noValue: 'no failure known',
      width: 12,
      draw: 'stacked',
      colors: [],
      queries: [
        {
          expr: `sum by (reason) (${grown(`destillml_run_failures_total{${namespaces}}`, '1h')})`,
          legend: '{{reason}}',
        },
      ],
    }),
    new Table({
      title: 'What failed or does not get on',
      description:
        'Up to thirty Runs that failed for good or have something in their way, and why: a click leads to the Run. Those that only wait for their turn in a queue are not among them.',
      unit: 'string',
      width: 24,
      height: 8,
      noValue: 'no trouble known',
      sortBy: { column: 'Since', descending: false },
      ...asked,
      overrides: [
        ...overrides,
        { field: 'namespace', properties: wide(110) },
        { field: 'experiment', properties: hidden },
        { field: 'run', properties: { links: [toRun], ...wide(360) } },
        { field: 'reason', properties: wide(160) },
        { field: 'Since', properties: { unit: 'dtdhms', ...wide(110) } },
      ],
    }),
  ],
});
