import { idleBelow, ofGpus, ofRuns } from '../gpu.ts';
import { Row } from '../grafana/row.ts';
import { TimeSeries, type TimeSeriesOptions } from '../grafana/time-series.ts';
import { chosen } from '../selectors.ts';
import { anyColors } from './learning.ts';
import { byRun, runNamed } from './names.ts';

const { runs } = chosen;

type Graph = Pick<TimeSeriesOptions, 'title' | 'description' | 'unit' | 'noValue'> & {
  readonly expr: string;
};

const graph = ({ expr, ...options }: Graph) =>
  new TimeSeries({
    ...options,
    width: 6,
    height: 7,
    colors: anyColors,
    min: 0,
    queries: [{ expr: runNamed(expr), legend: '{{name}}' }],
  });

const gpu = (options: Omit<Graph, 'noValue'>) => graph({ ...options, noValue: 'no DCGM exporter' });

export const gpus = new Row({
  title: 'What do its GPUs do?',
  panels: [
    gpu({
      title: 'GPU use',
      description:
        'Of the GPUs that the Run holds, mean: 100% is busy all the time. From NVIDIA’s DCGM exporter, as all of this row.',
      unit: 'percent',
      expr: ofRuns(ofGpus('DCGM_FI_DEV_GPU_UTIL', 'avg'), runs, byRun),
    }),
    gpu({
      title: 'Idle while held',
      description: `GPUs that the Run holds and that are busy for less than ${idleBelow}% of the time: others could have them.`,
      unit: 'none',
      expr: ofRuns(ofGpus('DCGM_FI_DEV_GPU_UTIL', 'sum', `< bool ${idleBelow}`), runs, byRun),
    }),
    gpu({
      title: 'Tensor cores',
      description:
        'Share of the time that the tensor cores are at work. Near zero with mixed precision means that it does not reach them.',
      unit: 'percentunit',
      expr: ofRuns(ofGpus('DCGM_FI_PROF_PIPE_TENSOR_ACTIVE', 'avg'), runs, byRun),
    }),
    gpu({
      title: 'GPU memory',
      description:
        'In use on the GPUs that the Run holds. TensorFlow takes most of it at the start, whatever it needs.',
      unit: 'bytes',
      expr: `${ofRuns(ofGpus('DCGM_FI_DEV_FB_USED'), runs, byRun)} * 1048576`,
    }),
    gpu({
      title: 'Power',
      description: 'What the GPUs draw. Far below their limit means that they wait for something.',
      unit: 'watt',
      expr: ofRuns(ofGpus('DCGM_FI_DEV_POWER_USAGE'), runs, byRun),
    }),
    gpu({
      title: 'Clock',
      description:
        'Of the streaming multiprocessors, the fastest of the Run’s. It falls where a GPU is too hot.',
      unit: 'hertz',
      expr: `${ofRuns(ofGpus('DCGM_FI_DEV_SM_CLOCK', 'max'), runs, byRun)} * 1000000`,
    }),
    gpu({
      title: 'GPU temperature',
      description: 'Of the hottest GPU that the Run holds.',
      unit: 'celsius',
      expr: ofRuns(ofGpus('DCGM_FI_DEV_GPU_TEMP', 'max'), runs, byRun),
    }),
    gpu({
      title: 'XID errors',
      description:
        'Number of the last error that the driver reported, 0 for none: 48, 63, 64, 79 and 94 are of the hardware, 13 and 31 of the program.',
      unit: 'none',
      expr: ofRuns(ofGpus('DCGM_FI_DEV_XID_ERRORS', 'max'), runs, byRun),
    }),
  ],
});

export const machine = new Row({
  title: 'What does it need besides?',
  panels: [
    graph({
      title: 'Processors',
      description: 'Cores that the pod uses, by cAdvisor. Decoding and augmentation run on them.',
      unit: 'none',
      noValue: 'no cAdvisor',
      expr: ofRuns(
        'sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{container="trainer"}[$__rate_interval]))',
        runs,
        byRun,
      ),
    }),
    new TimeSeries({
      title: 'Memory',
      description:
        'What the pod needs, by cAdvisor, and its limit, by kube-state-metrics. At the limit it is killed as OutOfMemory.',
      unit: 'bytes',
      width: 6,
      height: 7,
      noValue: 'no cAdvisor',
      colors: anyColors,
      min: 0,
      queries: [
        {
          expr: runNamed(
            ofRuns(
              'sum by (namespace, pod) (container_memory_working_set_bytes{container="trainer"})',
              runs,
              byRun,
            ),
          ),
          legend: '{{name}}',
        },
        {
          expr: runNamed(
            ofRuns(
              'sum by (namespace, pod) (kube_pod_container_resource_limits{container="trainer", resource="memory"})',
              runs,
              byRun,
            ),
          ),
          legend: 'limit {{name}}',
        },
      ],
    }),
    graph({
      title: 'Memory of TensorFlow',
      description: 'In tensors that are alive. It is level from step to step; a line that climbs is a leak.',
      unit: 'bytes',
      noValue: 'not scraped',
      expr: `max by (${byRun}) (destillml_trainer_tensor_bytes{${runs}})`,
    }),
    graph({
      title: 'Tensors',
      description: 'Number of tensors that are alive. It is level from step to step.',
      unit: 'short',
      noValue: 'not scraped',
      expr: `max by (${byRun}) (destillml_trainer_tensors{${runs}})`,
    }),
  ],
});
