import type { RecordingRule } from './rule.ts';

/** What the lab overview would have to add up over all Runs at every point of time. */
export const recordings: readonly RecordingRule[] = [
  {
    record: 'namespace_experiment_phase:destillml_run_phase:sum',
    expr: 'sum by (namespace, experiment, phase) (destillml_run_phase)',
    labels: ['namespace', 'experiment', 'phase'],
  },
  {
    record: 'namespace_experiment:destillml_run_gpu_seconds:rate5m',
    expr: 'sum by (namespace, experiment) (rate(destillml_run_gpu_seconds_total[5m]))',
    labels: ['namespace', 'experiment'],
  },
  {
    record: 'namespace_experiment:destillml_run_preemptions:rate5m',
    expr: 'sum by (namespace, experiment) (rate(destillml_run_preemptions_total[5m]))',
    labels: ['namespace', 'experiment'],
  },
];
