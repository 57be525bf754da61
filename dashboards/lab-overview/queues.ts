import { Heatmap } from '../grafana/heatmap.ts';
import { Row } from '../grafana/row.ts';
import { TimeSeries } from '../grafana/time-series.ts';
import { grown } from '../grown.ts';
import { chosen } from '../selectors.ts';

const { namespaces } = chosen;
const gpus = 'resource=~".*gpu.*"';
/** Of all flavors. Every replica of Kueue tells of all queues: they are not added up. */
const quota = (metric: string) =>
  `sum by (cluster_queue) (max by (cluster_queue, flavor, resource) (kueue_cluster_queue_${metric}{${gpus}}))`;
const graph = { width: 8, min: 0, colors: [], noValue: 'no metrics of Kueue' } as const;

export const queues = new Row({
  title: 'How do the queues do?',
  panels: [
    new Heatmap({
      title: 'Time in the queue',
      description: 'How long Runs that got a GPU had waited for it, by when they got it.',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: `sum by (le) (increase(destillml_run_queue_wait_seconds_bucket{${namespaces}}[$__rate_interval]))`,
          legend: '{{le}}',
          format: 'heatmap',
        },
      ],
    }),
    new TimeSeries({
      title: 'Median wait by queue',
      description:
        'How long Runs waited for a GPU, median of the hour before, by namespace and Kueue’s queue.',
      unit: 'dtdhms',
      width: 8,
      colors: [],
      noValue: 'no Run started',
      queries: [
        {
          expr: `topk(20, histogram_quantile(0.5, sum by (namespace, queue, le) (increase(destillml_run_queue_wait_seconds_bucket{${namespaces}}[1h]))) >= 0)`,
          legend: '{{namespace}} {{queue}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'Time to start',
      description:
        'From the GPU to the first step: node, image, data. Of the hour before; the GPU is idle meanwhile.',
      unit: 'dtdhms',
      width: 8,
      colors: [],
      noValue: 'no Run started',
      queries: [0.5, 0.95].map((quantile) => ({
        expr: `histogram_quantile(${quantile}, sum by (le) (increase(destillml_run_startup_seconds_bucket{${namespaces}}[1h]))) >= 0`,
        legend: `p${quantile * 100}`,
      })),
    }),
    new TimeSeries({
      ...graph,
      title: 'GPU quota, used and free',
      description:
        'By ClusterQueue, of Kueue where its metrics.enableClusterQueueResources is on: what is used, and what of the nominal quota is free.',
      unit: 'none',
      queries: [
        {
          expr: quota('resource_usage'),
          legend: '{{cluster_queue}} used',
        },
        {
          expr: `${quota('nominal_quota')} - ${quota('resource_usage')}`,
          legend: '{{cluster_queue}} free',
        },
      ],
    }),
    new TimeSeries({
      ...graph,
      title: 'Workloads that wait in Kueue',
      description:
        'By ClusterQueue; inadmissible ones are not even tried until something changes. Also of other users of Kueue.',
      unit: 'none',
      queries: [
        {
          expr: 'max by (cluster_queue, status) (kueue_pending_workloads)',
          legend: '{{cluster_queue}} {{status}}',
        },
      ],
    }),
    new TimeSeries({
      ...graph,
      title: 'Evictions in Kueue',
      description: 'Workloads that had to give their quota back within the hour before, by reason.',
      unit: 'none',
      queries: [
        {
          expr: `sum by (reason) (${grown('kueue_evicted_workloads_total', '1h')})`,
          legend: '{{reason}}',
        },
      ],
    }),
  ],
});
