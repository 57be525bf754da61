const noSweep = 'The quickstart sweeps nothing.';
const noDcgm = 'There is no GPU, and so no DCGM exporter.';
const noCadvisor = 'Only the operator and trainers are scraped, not the kubelet.';
const noStateMetrics = 'There is no kube-state-metrics.';
const noKueue = 'There is no Kueue.';
const nothingWaits = 'All Runs have ended.';
const nothingFailed = 'Nothing failed.';

/** By dashboard: title of each panel that has nothing to show of the quickstart in this cluster, and why. */
export const emptyPanels: Readonly<Record<string, readonly (readonly [title: string, reason: string])[]>> = {
  'lab-overview': [
    ['Of these idle', noDcgm],
    ['GPUs of the cluster', noStateMetrics],
    ['Longest wait', nothingWaits],
    ['Who waits longest, and why', nothingWaits],
    ['Use of the GPUs that are held', noDcgm],
    ['Idle while held by namespace', noDcgm],
    ['Runs that hold idle GPUs', noDcgm],
    ['Alerts that fire', nothingFailed],
    ['Failures by reason', nothingFailed],
    ['What failed or does not get on', nothingFailed],
    ['GPU quota, used and free', noKueue],
    ['Workloads that wait in Kueue', noKueue],
    ['Evictions in Kueue', noKueue],
  ],
  experiment: [['Running Runs end in', nothingWaits]],
  sweep: [
    ['Every trial', noSweep],
    ['Best of each study so far', noSweep],
    ['Best trials', noSweep],
    ['Best values', noSweep],
    ['Trials by phase', noSweep],
    ['Trials by epoch reached', noSweep],
    ['Accuracy against $parameter', noSweep],
    ['Accuracy against $other', noSweep],
    ['Below the best', noSweep],
  ],
  run: [
    ['Time to the end', nothingWaits],
    ['GPU use', noDcgm],
    ['Idle while held', noDcgm],
    ['Tensor cores', noDcgm],
    ['GPU memory', noDcgm],
    ['Power', noDcgm],
    ['Clock', noDcgm],
    ['GPU temperature', noDcgm],
    ['XID errors', noDcgm],
    ['Processors', noCadvisor],
    ['Memory', noCadvisor],
  ],
};
