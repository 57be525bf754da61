import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { alerts } from '../../dashboards/rules/alerts.ts';
import { promtool, testRules } from './promtool.ts';

const root = join(import.meta.dirname, '../..');
const rules = join(root, 'dashboards/generated/rules.yaml');

it('promtool takes the rules', async () => {
  expect(await promtool('check', 'rules', '--lint-fatal', rules)).toContain('SUCCESS: 9 rules found');
});

describe.each(alerts)('$alert', ({ alert, severity, summary, description, for: time }) => {
  it('says how bad it is, what is seen, and where to read on', () => {
    expect(['critical', 'warning', 'info']).toContain(severity);
    expect(summary).toMatch(/^[A-Z].*[^.]$/);
    expect(description).toMatch(/^.*\.$/);
    expect(time).toMatch(/^\d+[mh]$/);
  });

  it('has a page that says what follows, where to look and what to do', () => {
    const page = join(root, `docs/runbooks/${alert}.md`);
    expect(existsSync(page)).toBe(true);
    const text = readFileSync(page, 'utf8');
    expect(text.split('\n')[0]).toBe(`# ${alert}`);
    expect(text).toContain(`Severity: ${severity}.`);
    for (const part of ['**Says**', '**Follows**', '**Look**', '**Do**']) expect(text).toContain(part);
  });
});

type Case = {
  readonly name: string;
  readonly alert: string;
  /** By series: its values, one a minute, as promtool writes them. */
  readonly series: Readonly<Record<string, string>>;
  /** By time: whether it fires then. */
  readonly fires: Readonly<Record<string, boolean>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly says: string;
};

const run = 'namespace="lab", experiment="cifar", run="soft-1"';
const labels = { namespace: 'lab', experiment: 'cifar', run: 'soft-1' };
const other = 'namespace="lab", experiment="cifar", run="soft-2"';
const job = 'job="destillml", namespace="destillml-system", instance="10.0.0.1:8443"';
const second = 'job="destillml", namespace="destillml-system", instance="10.0.0.2:8443"';
/** Of a release in another namespace, which its ServiceMonitor gives the same job. */
const elsewhere = 'job="destillml", namespace="second-lab", instance="10.0.0.9:8443"';
const lease = { job: 'destillml', namespace: 'destillml-system', name: 'destillml' };
const alive = { [`destillml_build_info{${job}, version="0.1.0"}`]: '1x600' };

const cases: readonly Case[] = [
  {
    name: 'a third failure within an hour, though the series begins with the first',
    alert: 'DestillMLRunFailingRepeatedly',
    series: {
      [`destillml_run_failures_total{${run}, reason="OutOfMemory"}`]: '_x5 1x10 2x120',
      [`destillml_run_failures_total{${run}, reason="Evicted"}`]: '_x30 1x120',
      [`destillml_run_failures_total{${other}, reason="OutOfMemory"}`]: '_x30 2x120',
    },
    fires: { '20m': false, '40m': true, '100m': false },
    labels,
    says: 'The Run lab/soft-1 of the Experiment cifar has failed 3 times within an hour. After spec.retries it is given up.',
  },
  {
    name: 'a loss that is no number, for an hour',
    alert: 'DestillMLRunDiverged',
    series: {
      [`destillml_run_failures_total{${run}, reason="TrainingDiverged"}`]: '_x5 1x120',
      [`destillml_run_failures_total{${other}, reason="OutOfMemory"}`]: '_x5 1x120',
    },
    fires: { '4m': false, '10m': true, '80m': false },
    labels,
    says: 'The Run lab/soft-1 of the Experiment cifar ended because its loss was no longer a number. It is not retried.',
  },
  {
    name: 'a loss that is no number, not at old ones where Prometheus missed the scrape of an hour ago',
    alert: 'DestillMLRunDiverged',
    series: {
      [`destillml_run_failures_total{${run}, reason="TrainingDiverged"}`]: '_x134 1x60',
      // Nothing is scraped from 74 to 84 minutes.
      [`destillml_run_failures_total{${other}, reason="TrainingDiverged"}`]: '_x5 1x68 _x10 1x120',
    },
    fires: { '130m': false, '133m': false, '140m': true, '150m': true },
    labels,
    says: 'The Run lab/soft-1 of the Experiment cifar ended because its loss was no longer a number. It is not retried.',
  },
  {
    name: 'no progress for 30 minutes or more of a Run that is running',
    alert: 'DestillMLRunStuck',
    series: {
      // Seconds since the start of the test.
      [`destillml_run_progress_time_seconds{${run}}`]: '0+60x10 600x110',
      [`destillml_run_phase{${run}, phase="Running"}`]: '1x120',
      // One that ended, and one that goes on.
      [`destillml_run_progress_time_seconds{${other}}`]: '0+60x10 600x110',
      [`destillml_run_phase{${other}, phase="Running"}`]: '1x12 0x108',
      'destillml_run_progress_time_seconds{namespace="lab", experiment="cifar", run="soft-3"}': '0+60x120',
      'destillml_run_phase{namespace="lab", experiment="cifar", run="soft-3", phase="Running"}': '1x120',
      // One that is paused at its rung.
      'destillml_run_progress_time_seconds{namespace="lab", experiment="cifar", run="soft-4"}':
        '0+60x10 600x110',
      'destillml_run_phase{namespace="lab", experiment="cifar", run="soft-4", phase="Running"}': '1x10 0x110',
      'destillml_run_phase{namespace="lab", experiment="cifar", run="soft-4", phase="Paused"}': '0x10 1x110',
    },
    fires: { '50m': false, '69m': false, '75m': true },
    labels,
    says: 'The Run lab/soft-1 of the Experiment cifar has told of no progress for 1h 5m 0s, and holds its GPUs.',
  },
  {
    name: '30 minutes of Running without progress, of which hours in the queue before are none',
    alert: 'DestillMLRunStuck',
    series: {
      [`destillml_run_progress_time_seconds{${run}}`]: '0x300',
      [`destillml_run_phase{${run}, phase="Running"}`]: '1x10 0x188 1x100',
      // It gets on after a quarter of an hour.
      [`destillml_run_progress_time_seconds{${other}}`]: '0x215 12900+60x85',
      [`destillml_run_phase{${other}, phase="Running"}`]: '1x10 0x188 1x100',
    },
    fires: { '195m': false, '210m': false, '229m': false, '240m': true },
    labels,
    says: 'The Run lab/soft-1 of the Experiment cifar has told of no progress for 4h 0m 0s, and holds its GPUs.',
  },
  {
    name: 'four hours in the queue',
    alert: 'DestillMLRunWaitingLong',
    series: {
      [`destillml_run_phase{${run}, phase="Queued"}`]: '1x250 0x50',
      // One that is paused at its rung for as long.
      [`destillml_run_phase{${other}, phase="Queued"}`]: '1x10 0x290',
      [`destillml_run_phase{${other}, phase="Paused"}`]: '0x10 1x290',
    },
    fires: { '230m': false, '245m': true, '260m': false },
    labels,
    says: 'The Run lab/soft-1 of the Experiment cifar waits for a GPU. What for exactly, its status says.',
  },
  {
    name: '40% of the time without images, not 20%',
    alert: 'DestillMLTrainingDataBound',
    series: {
      [`destillml_trainer_data_wait_seconds_sum{${run}}`]: '0+24x60',
      [`destillml_trainer_data_wait_seconds_sum{${other}}`]: '0+12x60',
    },
    fires: { '10m': false, '30m': true },
    labels,
    says: 'The Run lab/soft-1 of the Experiment cifar waits for images 40% of its time, while its GPU is idle.',
  },
  {
    name: 'no operator for five minutes',
    alert: 'DestillMLOperatorDown',
    series: { [`destillml_build_info{${job}, version="0.1.0"}`]: '1x10 stale _x20' },
    fires: { '10m': false, '14m': false, '17m': true },
    labels: {},
    says: 'Prometheus reaches no operator of DestillML: no Run is started, stopped or recorded. Jobs that run go on.',
  },
  {
    name: 'operators of which none leads',
    alert: 'DestillMLOperatorNotLeading',
    series: {
      ...alive,
      [`destillml_build_info{${second}, version="0.1.0"}`]: '1x60',
      [`leader_election_master_status{${job}, name="destillml"}`]: '1x10 0x50',
      [`leader_election_master_status{${second}, name="destillml"}`]: '0x60',
      // Of another release, which has a leader.
      [`destillml_build_info{${elsewhere}, version="0.1.0"}`]: '1x60',
      [`leader_election_master_status{${elsewhere}, name="destillml"}`]: '1x60',
      // Of somebody else's operator.
      'leader_election_master_status{job="kueue", instance="10.0.0.3:8443", name="kueue"}': '0x60',
    },
    fires: { '10m': false, '15m': false, '17m': true },
    labels: lease,
    says: '0 operators say that they have the lease destillml: without one no Run is started, stopped or recorded.',
  },
  {
    name: 'two operators that lead',
    alert: 'DestillMLOperatorNotLeading',
    series: {
      ...alive,
      [`destillml_build_info{${second}, version="0.1.0"}`]: '1x60',
      [`leader_election_master_status{${job}, name="destillml"}`]: '1x60',
      [`leader_election_master_status{${second}, name="destillml"}`]: '0x10 1x50',
    },
    fires: { '10m': false, '17m': true },
    labels: lease,
    says: '2 operators say that they have the lease destillml: without one no Run is started, stopped or recorded.',
  },
  {
    name: 'no leader, not at two releases that have one each',
    alert: 'DestillMLOperatorNotLeading',
    series: {
      ...alive,
      [`destillml_build_info{${elsewhere}, version="0.1.0"}`]: '1x60',
      [`leader_election_master_status{${job}, name="destillml"}`]: '1x30 0x30',
      [`leader_election_master_status{${elsewhere}, name="destillml"}`]: '1x60',
      [`leader_election_master_status{${second}, name="destillml-blue"}`]: '1x60',
    },
    fires: { '10m': false, '30m': false, '40m': true },
    labels: lease,
    says: '0 operators say that they have the lease destillml: without one no Run is started, stopped or recorded.',
  },
  {
    name: 'one reconcile in five fails',
    alert: 'DestillMLReconcileErrors',
    series: {
      ...alive,
      [`controller_runtime_reconcile_total{${job}, controller="run", result="success"}`]: '0+80x60',
      [`controller_runtime_reconcile_total{${job}, controller="run", result="error"}`]: '0+20x60',
      [`controller_runtime_reconcile_errors_total{${job}, controller="run"}`]: '0+20x60',
      [`controller_runtime_reconcile_total{${job}, controller="experiment", result="success"}`]: '0+99x60',
      [`controller_runtime_reconcile_errors_total{${job}, controller="experiment"}`]: '0+1x60',
      'controller_runtime_reconcile_total{job="kueue", controller="workload", result="error"}': '0+20x60',
      'controller_runtime_reconcile_errors_total{job="kueue", controller="workload"}': '0+20x60',
    },
    fires: { '10m': false, '30m': true },
    labels: { job: 'destillml', controller: 'run' },
    says: '20% of the reconciles of the controller run fail: what it looks after does not get on.',
  },
  {
    name: 'reports that are answered with 401',
    alert: 'DestillMLReportsRefused',
    series: {
      [`destillml_progress_requests_total{${job}, code="401"}`]: '0x10 1+1x50',
      [`destillml_progress_requests_total{${job}, code="202"}`]: '0+60x60',
    },
    fires: { '10m': false, '15m': false, '30m': true },
    labels: { job: 'destillml' },
    says: 'The operator answers reports of trainers with 401 or 403: progress of Runs is not seen. Their results are.',
  },
];

it('every alert is tried', () => {
  expect(new Set(cases.map(({ alert }) => alert))).toEqual(new Set(alerts.map(({ alert }) => alert)));
});

test.each(cases)('$alert fires at $name', async ({ alert, series, fires, labels: own, says }) => {
  const { severity, summary } = alerts.find((each) => each.alert === alert)!;
  const fired = {
    exp_labels: { ...own, severity },
    exp_annotations: { summary, description: says, runbook: `docs/runbooks/${alert}.md` },
  };
  await testRules(rules, [
    {
      interval: '1m',
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      alert_rule_test: Object.entries(fires).map(([eval_time, does]) => ({
        alertname: alert,
        eval_time,
        exp_alerts: does ? [fired] : [],
      })),
    },
  ]);
});
