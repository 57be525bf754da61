const noSweep = 'The quickstart sweeps nothing.';
const noDcgm = 'There is no GPU, and so no DCGM exporter.';
const noCadvisor = 'Only the operator and trainers are scraped, not the kubelet.';

/** By dashboard: title of each panel that has nothing to show of the quickstart in this cluster, and why. */
export const emptyPanels: Readonly<Record<string, readonly (readonly [title: string, reason: string])[]>> = {
  'lab-overview': [['Failures by reason', 'Nothing failed.']],
  experiment: [
    ['Every trial', noSweep],
    ['Best of each study so far', noSweep],
    ['Trials by phase', noSweep],
    ['Trials by epoch reached', noSweep],
    ['Best values', noSweep],
    ['Parameters against accuracy', noSweep],
    ['Accuracy against ', noSweep],
    ['Accuracy against ', noSweep],
  ],
  run: [
    ['Time to the end', 'All Runs have ended.'],
    ['GPU use', noDcgm],
    ['GPU memory', noDcgm],
    ['Processors', noCadvisor],
    ['Memory', noCadvisor],
  ],
};
