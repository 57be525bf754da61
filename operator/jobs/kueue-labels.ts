import type { Experiment } from '@destillml/core/api/experiment.ts';

export const queueLabel = 'kueue.x-k8s.io/queue-name';
/** Names a WorkloadPriorityClass, on Experiments as on Jobs. */
export const priorityLabel = 'kueue.x-k8s.io/priority-class';
export const jobUidLabel = 'kueue.x-k8s.io/job-uid';

/**
 * Labels by which Kueue takes up a Job.
 *
 * A WorkloadPriorityClass is named by Kueue's own label, put on the Experiment; without it Kueue goes by the
 * PriorityClass of the pods. The two kinds of class are different objects, so one is never made from the other.
 */
export function kueueLabels(experiment: Pick<Experiment, 'metadata' | 'spec'>): Record<string, string> {
  const { queue } = experiment.spec;
  if (queue === undefined) return {};
  const priority = workloadPriorityClass(experiment);
  return { [queueLabel]: queue, ...(priority === undefined ? {} : { [priorityLabel]: priority }) };
}

/** Name of the WorkloadPriorityClass of the Experiment, if it has one: without a queue it means nothing. */
export function workloadPriorityClass({
  metadata,
  spec,
}: Pick<Experiment, 'metadata' | 'spec'>): string | undefined {
  return spec.queue === undefined ? undefined : metadata.labels?.[priorityLabel];
}
