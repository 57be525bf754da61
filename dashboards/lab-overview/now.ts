import { idleBelow, ofGpus, ofRuns } from '../gpu.ts';
import { columns } from '../grafana/columns.ts';
import { states } from '../grafana/palette.ts';
import { Row } from '../grafana/row.ts';
import { Stat } from '../grafana/stat.ts';
import { hidden, Table, wide, wordCell } from '../grafana/table.ts';
import { TimeSeries } from '../grafana/time-series.ts';
import { phaseNumber, phaseWords } from '../phases.ts';
import { chosen, toRun } from '../selectors.ts';

const { namespaces } = chosen;
const number = { unit: 'none', decimals: 0, width: 4, height: 4 } as const;
const one = (expr: string) => [{ expr, legend: '', instant: true }];

/** Runs that wait for a GPU longest, since when. */
const longest = `topk(20, time() - max by (namespace, experiment, run) (destillml_run_waiting_since_seconds{${namespaces}}))`;
const { overrides, ...waiting } = columns(['namespace', 'experiment', 'run'], longest, [
  { expr: `${phaseNumber(namespaces)} and on (namespace, experiment, run) ${longest}`, legend: 'Phase' },
  { expr: longest, legend: 'Waits for' },
  {
    expr: `max by (namespace, experiment, run, reason) (destillml_run_reason{${namespaces}}) and on (namespace, experiment, run) ${longest}`,
    says: ['reason'],
  },
]);

export const now = new Row({
  title: 'Are GPUs idle while people wait?',
  panels: [
    new Stat({
      ...number,
      title: 'GPUs that Runs hold',
      description: 'GPUs of Runs that are starting or running.',
      queries: one(`sum(destillml_experiment_gpus{${namespaces}})`),
    }),
    new Stat({
      ...number,
      title: 'Of these idle',
      description: `GPUs that Runs hold and that are busy for less than ${idleBelow}% of the time, by NVIDIA’s DCGM exporter.`,
      noValue: 'no DCGM exporter',
      thresholds: [
        { from: 0, color: states.good },
        { from: 1, color: states.warning },
      ],
      queries: one(
        `sum(${ofRuns(ofGpus('DCGM_FI_DEV_GPU_UTIL', 'sum', `< bool ${idleBelow}`), namespaces)})`,
      ),
    }),
    new Stat({
      ...number,
      title: 'GPUs of the cluster',
      description: 'NVIDIA GPUs that nodes offer, whoever holds them, by kube-state-metrics.',
      noValue: 'no kube-state-metrics',
      queries: one('sum(kube_node_status_allocatable{resource="nvidia_com_gpu"})'),
    }),
    new Stat({
      ...number,
      title: 'Runs that wait for a GPU',
      description: 'Runs that may train and wait: for Kueue, the quota or the scheduler.',
      queries: one(`sum(destillml_experiment_runs{${namespaces}, phase="Queued"})`),
    }),
    new Stat({
      ...number,
      title: 'Longest wait',
      description: 'Of the Runs that may train and whose trainer has not started.',
      unit: 'dtdhms',
      noValue: 'no wait known',
      thresholds: [
        { from: 0, color: states.good },
        { from: 3600, color: states.warning },
        { from: 14_400, color: states.bad },
      ],
      queries: one(`time() - min(destillml_run_waiting_since_seconds{${namespaces}})`),
    }),
    new Stat({
      ...number,
      title: 'Runs that failed',
      description: 'Runs that are there and have failed for good.',
      thresholds: [
        { from: 0, color: states.good },
        { from: 1, color: states.bad },
      ],
      queries: one(`sum(destillml_experiment_runs{${namespaces}, phase="Failed"})`),
    }),
    new Table({
      title: 'Who waits longest, and why',
      description:
        'The twenty Runs that have waited longest for their trainer to start: a click leads to the Run. The reason is Kueue’s, the scheduler’s or the operator’s.',
      unit: 'string',
      width: 12,
      height: 9,
      noValue: 'nobody, as far as is known',
      sortBy: { column: 'Waits for', descending: true },
      ...waiting,
      overrides: [
        ...overrides,
        { field: 'namespace', properties: wide(100) },
        // The name of the Run begins with it.
        { field: 'experiment', properties: hidden },
        { field: 'run', properties: { links: [toRun], ...wide(260) } },
        { field: 'Phase', properties: { unit: 'none', ...wordCell(phaseWords), ...wide(80) } },
        { field: 'Waits for', properties: { unit: 'dtdhms', ...wide(100) } },
      ],
    }),
    new TimeSeries({
      title: 'GPUs by namespace',
      description:
        'GPUs that the Runs of each namespace hold, stacked; the Runs that wait for one as a line.',
      unit: 'none',
      width: 12,
      height: 9,
      draw: 'stacked',
      noValue: 'no Experiment',
      overrides: [
        {
          field: 'Runs that wait',
          properties: {
            'custom.stacking': { mode: 'none', group: 'B' },
            'custom.fillOpacity': 0,
            'custom.lineStyle': { fill: 'dash', dash: [6, 4] },
            color: { mode: 'fixed', fixedColor: states.bad },
          },
        },
      ],
      colors: [],
      queries: [
        {
          expr: `topk(20, sum by (namespace) (destillml_experiment_gpus{${namespaces}}))`,
          legend: '{{namespace}}',
        },
        { expr: `sum(destillml_experiment_runs{${namespaces}, phase="Queued"})`, legend: 'Runs that wait' },
      ],
    }),
  ],
});
