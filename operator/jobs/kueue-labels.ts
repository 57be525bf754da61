import type { Experiment } from '@destillml/core/api/experiment.ts';

export const queueLabel = 'kueue.x-k8s.io/queue-name';
const priorityLabel = 'kueue.x-k8s.io/priority-class';
export const jobUidLabel = 'kueue.x-k8s.io/job-uid';

/**
 * Labels by which Kueue takes up a Job.
 *
 * A WorkloadPriorityClass is named by Kueue's own label, put on the Experiment; without it Kueue goes by the
 * PriorityClass of the pods. The two kinds of class are different objects, so one is never made from the other.
 */
export function kueueLabels({ metadata, spec }: Experiment): Record<string, string> {
  if (spec.queue === undefined) return {};
  const priority = metadata.labels?.[priorityLabel];
  return { [queueLabel]: spec.queue, ...(priority === undefined ? {} : { [priorityLabel]: priority }) };
}
