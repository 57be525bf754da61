import { grown } from '../grown.ts';
import type { AlertRule } from './rule.ts';

const ofRun = 'The Run {{ $labels.namespace }}/{{ $labels.run }} of the Experiment {{ $labels.experiment }}';

/** The operator's own series, which no other program has, tell the job that it is scraped as. */
const operator = 'on (job) group_left () group by (job) (destillml_build_info)';

export const alerts: readonly AlertRule[] = [
  {
    alert: 'DestillMLRunFailingRepeatedly',
    expr: `sum by (namespace, experiment, run) (${grown('destillml_run_failures_total', '1h')}) > 2`,
    for: '0m',
    severity: 'warning',
    summary: 'A Run fails again and again',
    description: `${ofRun} has failed {{ $value | humanize }} times within an hour. After spec.retries it is given up.`,
  },
  {
    alert: 'DestillMLRunDiverged',
    expr: `sum by (namespace, experiment, run) (${grown('destillml_run_failures_total{reason="TrainingDiverged"}', '1h')}) > 0`,
    for: '0m',
    severity: 'warning',
    summary: 'The loss of a Run diverged',
    description: `${ofRun} ended because its loss was no longer a number. It is not retried.`,
  },
  {
    alert: 'DestillMLRunStuck',
    expr: '(time() - max by (namespace, experiment, run) (destillml_run_progress_time_seconds or destillml_run_start_time_seconds) > 1800) and on (namespace, experiment, run) (destillml_run_phase{phase="Running"} == 1)',
    // What was reported before it went back to the queue is old: only the time that it is Running again counts.
    for: '30m',
    severity: 'warning',
    summary: 'A Run is running and does not get on',
    description: `${ofRun} has told of no progress for {{ $value | humanizeDuration }}, and holds its GPUs.`,
  },
  {
    alert: 'DestillMLRunWaitingLong',
    expr: 'max by (namespace, experiment, run) (destillml_run_phase{phase="Queued"}) == 1',
    for: '4h',
    severity: 'info',
    summary: 'A Run has waited for four hours',
    description: `${ofRun} waits for a GPU. What for exactly, its status says.`,
  },
  {
    alert: 'DestillMLTrainingDataBound',
    expr: 'sum by (namespace, experiment, run) (rate(destillml_trainer_data_wait_seconds_sum[10m])) > 0.3',
    for: '15m',
    severity: 'info',
    summary: 'A trainer waits for images',
    description: `${ofRun} waits for images {{ $value | humanizePercentage }} of its time, while its GPU is idle.`,
  },
  {
    alert: 'DestillMLOperatorDown',
    expr: 'absent(destillml_build_info)',
    for: '5m',
    severity: 'critical',
    summary: 'No operator answers',
    description:
      'Prometheus reaches no operator of DestillML: no Run is started, stopped or recorded. Jobs that run go on.',
  },
  {
    alert: 'DestillMLOperatorNotLeading',
    expr: `sum by (job, namespace, name) (leader_election_master_status * ${operator}) != 1`,
    for: '5m',
    severity: 'critical',
    summary: 'None or several operators lead',
    description:
      '{{ $value | humanize }} operators say that they have the lease {{ $labels.name }}: without one no Run is started, stopped or recorded.',
  },
  {
    alert: 'DestillMLReconcileErrors',
    expr: `sum by (job, controller) (rate(controller_runtime_reconcile_errors_total[10m]) * ${operator}) / sum by (job, controller) (rate(controller_runtime_reconcile_total[10m]) * ${operator}) > 0.1`,
    for: '15m',
    severity: 'warning',
    summary: 'Reconciles fail',
    description:
      '{{ $value | humanizePercentage }} of the reconciles of the controller {{ $labels.controller }} fail: what it looks after does not get on.',
  },
  {
    alert: 'DestillMLReportsRefused',
    expr: 'sum by (job) (rate(destillml_progress_requests_total{code=~"401|403"}[10m])) > 0',
    for: '10m',
    severity: 'warning',
    summary: 'Reports of trainers are refused',
    description:
      'The operator answers reports of trainers with 401 or 403: progress of Runs is not seen. Their results are.',
  },
];
