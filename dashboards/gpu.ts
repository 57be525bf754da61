/** Pods of Runs that train, with the label run. @param where selects Runs */
export function podsOf(where: string): string {
  return `max by (namespace, pod, experiment, run) (destillml_trainer_epoch{${where}} * 0 + 1)`;
}

/** Series of pods as those of the Runs that have them. @param series with the labels namespace and pod */
export function ofRuns(series: string, where: string, by = 'run'): string {
  return `sum by (${by}) ((${series}) * on (namespace, pod) group_left (experiment, run) ${podsOf(where)})`;
}

/**
 * A metric of NVIDIA's DCGM exporter by pod. It names the pod that has the GPU by pod, or by exported_pod where
 * Prometheus keeps its own labels.
 *
 * @param compare what is asked of each GPU, such as `< bool 5`
 */
export function ofGpus(metric: string, aggregate: 'sum' | 'avg' | 'max' = 'sum', compare = ''): string {
  const renamed = ['pod', 'namespace'].reduce(
    (series, label) => `label_replace(${series}, "${label}", "$1", "exported_${label}", "(.+)")`,
    metric,
  );
  return `${aggregate} by (namespace, pod) (${renamed}${compare === '' ? '' : ` ${compare}`})`;
}

/** A GPU that is busy for less of the time than that is idle, in percent. */
export const idleBelow = 5;
