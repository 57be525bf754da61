import { Dashboard } from './grafana/dashboard.ts';
import { palette, states } from './grafana/palette.ts';
import { Row } from './grafana/row.ts';
import { Stat } from './grafana/stat.ts';
import { TimeSeries } from './grafana/time-series.ts';
import { happenings } from './happenings.ts';
import { phaseTimeline } from './phase-timeline.ts';
import { chosen, variables } from './selectors.ts';

const { runs } = chosen;
/** Of one Run, or of several: Grafana tells them apart. */
const anyColors = [] as const;

const number = { width: 4, height: 4 } as const;

const now = new Row({
  title: 'Now',
  panels: [
    new Stat({
      ...number,
      title: 'Epochs done',
      description: 'Share of the epochs that are done. A Run that stops early ends before 100%.',
      unit: 'percentunit',
      decimals: 0,
      queries: [
        {
          expr: `max by (run) (destillml_run_epoch{${runs}}) / max by (run) (destillml_run_epochs{${runs}})`,
          legend: '{{run}}',
          instant: true,
        },
      ],
    }),
    new Stat({
      ...number,
      title: 'Validation accuracy',
      description:
        'Share of the validation images, which are never trained on, that the best epoch so far got right.',
      unit: 'percentunit',
      decimals: 2,
      queries: [
        {
          expr: `max by (run) (destillml_run_accuracy{${runs}, split="validation"})`,
          legend: '{{run}}',
          instant: true,
        },
      ],
    }),
    new Stat({
      ...number,
      title: 'Test accuracy',
      description:
        'Share of the test images that are right, with the weights of the best epoch. Read once, at the end.',
      unit: 'percentunit',
      decimals: 2,
      noValue: 'not yet',
      queries: [
        {
          expr: `max by (run) (destillml_run_accuracy{${runs}, split="test"})`,
          legend: '{{run}}',
          instant: true,
        },
      ],
    }),
    new Stat({
      ...number,
      title: 'Time to the end',
      description: 'By the pace so far. Nothing once the Run has ended.',
      unit: 's',
      noValue: 'ended',
      queries: [
        { expr: `max by (run) (destillml_run_eta_seconds{${runs}})`, legend: '{{run}}', instant: true },
      ],
    }),
    new Stat({
      ...number,
      title: 'GPU time',
      description:
        'What the Run has cost so far: time of its pods, each counted by its GPUs, over all attempts.',
      unit: 's',
      queries: [
        { expr: `max by (run) (destillml_run_gpu_seconds_total{${runs}})`, legend: '{{run}}', instant: true },
      ],
    }),
    new Stat({
      ...number,
      title: 'Attempts',
      description:
        'Times that the Run was started. More than one: it failed or gave way, and went on from its checkpoint.',
      unit: 'none',
      thresholds: [
        { from: 0, color: states.good },
        { from: 2, color: states.warning },
        { from: 4, color: states.bad },
      ],
      queries: [
        { expr: `max by (run) (destillml_run_attempts_total{${runs}})`, legend: '{{run}}', instant: true },
      ],
    }),
    phaseTimeline({ where: runs, width: 24, height: 5 }),
  ],
});

const learning = new Row({
  title: 'Learning',
  panels: [
    new TimeSeries({
      title: 'Loss by term',
      description:
        'Mean of the training objective over each epoch, and its terms. Terms that are not on a similar scale mean that one of them is not learned from.',
      unit: 'none',
      width: 8,
      colors: [
        [/total/, palette.sky],
        [/crossEntropy/, palette.orange],
        [/distillation/, palette.green],
      ],
      queries: [{ expr: `max by (run, term) (destillml_trainer_loss{${runs}})`, legend: '{{run}} {{term}}' }],
    }),
    new TimeSeries({
      title: 'Accuracy',
      description:
        'On the training images, and on the validation images. The distance between them is overfitting.',
      unit: 'percentunit',
      decimals: 1,
      max: 1,
      width: 8,
      colors: [
        [/train/, palette.sky],
        [/validation/, palette.orange],
      ],
      queries: [
        { expr: `max by (run, split) (destillml_trainer_accuracy{${runs}})`, legend: '{{run}} {{split}}' },
      ],
    }),
    new TimeSeries({
      title: 'Learning rate',
      description: 'Of the last step: a linear warm-up, then a cosine down to zero.',
      unit: 'none',
      width: 8,
      colors: anyColors,
      min: 0,
      queries: [{ expr: `max by (run) (destillml_trainer_learning_rate{${runs}})`, legend: '{{run}}' }],
    }),
  ],
});

/** Share of the time that a kind of work takes. */
const perSecond = (metric: string) => `sum by (run) (rate(${metric}{${runs}}[$__rate_interval]))`;

const speed = new Row({
  title: 'Speed',
  panels: [
    new TimeSeries({
      title: 'Images per second',
      description: 'Training throughput, waits included.',
      unit: 'short',
      width: 8,
      colors: anyColors,
      min: 0,
      queries: [{ expr: perSecond('destillml_trainer_images_total'), legend: '{{run}}' }],
    }),
    new TimeSeries({
      title: 'Where the time goes',
      description:
        'Share of the time in steps, in waiting for images, in evaluation and in checkpoints, mean over the Runs that are chosen. Waiting for images is time that a GPU idles.',
      unit: 'percentunit',
      width: 8,
      draw: 'stacked',
      min: 0,
      max: 1,
      colors: [
        [/step/, palette.blue],
        [/data/, palette.vermilion],
        [/evaluation/, palette.green],
        [/checkpoint/, palette.yellow],
      ],
      queries: [
        { expr: `avg(${perSecond('destillml_trainer_step_seconds_sum')})`, legend: 'step' },
        { expr: `avg(${perSecond('destillml_trainer_data_wait_seconds_sum')})`, legend: 'data' },
        { expr: `avg(${perSecond('destillml_trainer_evaluation_seconds_sum')})`, legend: 'evaluation' },
        { expr: `avg(${perSecond('destillml_trainer_checkpoint_seconds_sum')})`, legend: 'checkpoint' },
      ],
    }),
    new TimeSeries({
      title: 'Time of a step',
      description: 'Median and 99th percentile. Far apart: something disturbs it now and then.',
      unit: 's',
      width: 8,
      colors: [
        [/p50$/, palette.sky],
        [/p99$/, palette.orange],
      ],
      min: 0,
      queries: [0.5, 0.99].map((quantile) => ({
        expr: `histogram_quantile(${quantile}, sum by (run, le) (rate(destillml_trainer_step_seconds_bucket{${runs}}[$__rate_interval])))`,
        legend: `{{run}} p${quantile * 100}`,
      })),
    }),
  ],
});

/** Series of the pods of the Runs that are chosen, with the label run. @param series with the labels namespace and pod */
const ofRuns = (series: string) =>
  `sum by (run) ((${series}) * on (namespace, pod) group_left (run) max by (namespace, pod, run) (destillml_trainer_epoch{${runs}} * 0 + 1))`;

/** DCGM's exporter names the pod that has the GPU by pod, or by exported_pod where Prometheus keeps its own labels. */
function gpu(metric: string): string {
  const renamed = ['pod', 'namespace'].reduce(
    (series, label) => `label_replace(${series}, "${label}", "$1", "exported_${label}", "(.+)")`,
    metric,
  );
  return ofRuns(`sum by (namespace, pod) (${renamed})`);
}

const machine = new Row({
  title: 'Machine',
  panels: [
    new TimeSeries({
      title: 'GPU use',
      description:
        'Of the GPUs that the Run holds, added up: 100% is one GPU that is busy all the time. From NVIDIA’s DCGM exporter.',
      unit: 'percent',
      width: 8,
      colors: anyColors,
      min: 0,
      queries: [{ expr: gpu('DCGM_FI_DEV_GPU_UTIL'), legend: '{{run}}' }],
    }),
    new TimeSeries({
      title: 'GPU memory',
      description:
        'In use on the GPUs that the Run holds. TensorFlow takes most of it at the start, whatever it needs.',
      unit: 'bytes',
      width: 8,
      colors: anyColors,
      min: 0,
      queries: [{ expr: `${gpu('DCGM_FI_DEV_FB_USED')} * 1048576`, legend: '{{run}}' }],
    }),
    new TimeSeries({
      title: 'Processors',
      description: 'Cores that the pod uses, by cAdvisor. Decoding and augmentation run on them.',
      unit: 'none',
      width: 8,
      colors: anyColors,
      min: 0,
      queries: [
        {
          expr: ofRuns(
            'sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{container="trainer"}[$__rate_interval]))',
          ),
          legend: '{{run}}',
        },
      ],
    }),
    new TimeSeries({
      title: 'Memory',
      description:
        'What the pod needs, by cAdvisor, and its limit, by kube-state-metrics. At the limit it is killed as OutOfMemory.',
      unit: 'bytes',
      width: 8,
      colors: [
        [/./, palette.sky],
        [/limit$/, palette.vermilion],
      ],
      min: 0,
      queries: [
        {
          expr: ofRuns('sum by (namespace, pod) (container_memory_working_set_bytes{container="trainer"})'),
          legend: '{{run}}',
        },
        {
          expr: ofRuns(
            'sum by (namespace, pod) (kube_pod_container_resource_limits{container="trainer", resource="memory"})',
          ),
          legend: '{{run}} limit',
        },
      ],
    }),
    new TimeSeries({
      title: 'Memory of TensorFlow',
      description: 'In tensors that are alive. It is level from step to step; a line that climbs is a leak.',
      unit: 'bytes',
      width: 8,
      colors: anyColors,
      min: 0,
      queries: [{ expr: `max by (run) (destillml_trainer_tensor_bytes{${runs}})`, legend: '{{run}}' }],
    }),
    new TimeSeries({
      title: 'Tensors',
      description: 'Number of tensors that are alive. It is level from step to step.',
      unit: 'short',
      width: 8,
      colors: anyColors,
      min: 0,
      queries: [{ expr: `max by (run) (destillml_trainer_tensors{${runs}})`, legend: '{{run}}' }],
    }),
  ],
});

export const run = new Dashboard({
  uid: 'destillml-run',
  title: 'DestillML / Run',
  description:
    'One Run, or a few side by side, live: loss, accuracy, speed, the GPU. Curves last as long as the pod is scraped.',
  since: '6h',
  variables: variables.run,
  annotations: happenings(runs),
  rows: [now, learning, speed, machine],
});
