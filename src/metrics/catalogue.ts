import { experimentMetrics } from './experiments.ts';
import { explanationMetrics } from './explanations.ts';
import { machineryMetrics } from './machinery.ts';
import type { Metric } from './metric.ts';
import { processMetrics } from './process.ts';
import { runMetrics } from './runs.ts';
import { trainerMetrics } from './trainer.ts';

type Group = {
  readonly title: string;
  /** Who exports them, and when. */
  readonly exporter: string;
  readonly metrics: readonly Metric[];
};

/** Every metric that there is, by who exports it. */
export const catalogue: readonly Group[] = [
  {
    title: 'Experiments',
    exporter:
      'Exported by the operator that leads, from what it knows of the cluster at the moment it is asked: series outlive pods, and go with their Experiment.',
    metrics: Object.values(experimentMetrics),
  },
  {
    title: 'Runs',
    exporter:
      'Exported by the operator that leads, from what it knows of the cluster at the moment it is asked: series outlive pods, and go with their Run.',
    metrics: Object.values(runMetrics),
  },
  {
    title: 'Explanations',
    exporter:
      'Exported by the operator that leads, of the last explanation of each Experiment that ended well, one series for each network and map: the labels are those of the Run that trained the network. A teacher of another Experiment has no seed. Series go with their Experiment, or with the Run that trained the network.',
    metrics: Object.values(explanationMetrics),
  },
  {
    title: 'Trainers',
    exporter: 'Exported by the pod of each Run, while it trains and for a moment afterwards.',
    metrics: Object.values(trainerMetrics),
  },
  {
    title: 'The operator itself',
    exporter: 'Exported by every operator. Names without destillml are those of controller-runtime.',
    metrics: Object.values(machineryMetrics),
  },
  {
    title: 'Processes',
    exporter: 'Exported by every operator, and those that begin with process by every trainer too.',
    metrics: processMetrics,
  },
];

export const metrics: readonly Metric[] = catalogue.flatMap((group) => group.metrics);
