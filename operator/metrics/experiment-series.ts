import { type ExperimentStatus, experimentStatus } from '@destillml/core/api/experiment.ts';
import { type Condition, type RunPhase, runPhases } from '@destillml/core/api/meta.ts';
import { experimentMetrics } from '@destillml/core/metrics/experiments.ts';
import type { Metric } from '@destillml/core/metrics/metric.ts';
import type { SummaryRow } from '@destillml/core/results/row.ts';
import type { Experiment } from '../controllers/kinds.ts';
import type { SeenMaps } from './explanation-series.ts';
import { labelText, one, type Reading } from './exposition.ts';
import { seconds } from './seconds.ts';

/** An Experiment, and what came of it. */
export type SeenExperiment = {
  readonly experiment: Experiment;
  /** Network of the teacher, if it is known. */
  readonly teacher: string | undefined;
  readonly rows: readonly SummaryRow[];
  /** Its Runs by phase. */
  readonly runs: ReadonlyMap<RunPhase, readonly unknown[]>;
  /** GPUs that they hold. */
  readonly gpus: number;
  /** What its networks look at. */
  readonly explained: readonly SeenMaps[];
  /** Labels that tell which Experiment it is. */
  readonly place: string;
};

export function seenExperiment(
  experiment: Experiment,
  rest: Omit<SeenExperiment, 'experiment' | 'place'>,
): SeenExperiment {
  const { namespace, name } = experiment.metadata;
  return { experiment, ...rest, place: labelText({ namespace, experiment: name }) };
}

export const experimentReadings: readonly Reading<SeenExperiment>[] = [
  {
    metric: experimentMetrics.info,
    read: ({ experiment: { spec }, teacher, place }) => [
      [`${place},${labelText({ dataset: spec.dataset.name, teacher, queue: spec.queue })}`, 1],
    ],
  },
  {
    metric: experimentMetrics.phase,
    read: ({ experiment: { status }, place }) =>
      phases.map((phase) => [`${place},phase="${phase}"`, phase === (status?.phase ?? 'Pending') ? 1 : 0]),
  },
  {
    metric: experimentMetrics.condition,
    read: ({ experiment: { status }, place }) =>
      (status?.conditions ?? []).map(({ type, status: holds, reason }) => [
        `${place},${labelText({ condition: type, reason })}`,
        holdsAs[holds],
      ]),
  },
  {
    metric: experimentMetrics.runs,
    read: ({ runs, place }) =>
      runPhases.map((phase) => [`${place},phase="${phase}"`, runs.get(phase)?.length ?? 0]),
  },
  { metric: experimentMetrics.gpus, read: ({ gpus, place }) => one(place, gpus) },
  {
    metric: experimentMetrics.createdTime,
    read: ({ experiment: { metadata }, place }) => one(place, seconds(metadata.creationTimestamp)),
  },
  ofStatus(experimentMetrics.startTime, ({ startTime }) => seconds(startTime)),
  ofStatus(experimentMetrics.completionTime, ({ completionTime }) => seconds(completionTime)),
  ofTechnique(experimentMetrics.testAccuracy, ({ testAccuracy }) => testAccuracy?.mean),
  ofTechnique(experimentMetrics.testAccuracyDeviation, ({ testAccuracy }) => testAccuracy?.standardDeviation),
  ofTechnique(experimentMetrics.gain, ({ gain }) => gain?.mean),
  ofTechnique(experimentMetrics.gainLow, ({ gain }) => gain?.confidence?.low),
  ofTechnique(experimentMetrics.gainHigh, ({ gain }) => gain?.confidence?.high),
  ofTechnique(experimentMetrics.gapClosed, ({ gapClosed }) => gapClosed),
  ofTechnique(experimentMetrics.accuracyRetained, ({ accuracyRetained }) => accuracyRetained),
  ofStudy(experimentMetrics.studyRuns, ({ runs }) =>
    Object.entries(runs).map(([phase, count]) => [labelText({ phase }), count]),
  ),
  ofStudy(experimentMetrics.studyBestAccuracy, ({ best }) => [['', best?.validationAccuracy]]),
  ofStudy(experimentMetrics.studyBestValue, ({ best }) =>
    Object.entries(best?.values ?? {}).map(([parameter, value]) => [labelText({ parameter }), Number(value)]),
  ),
];

const phases = experimentStatus.shape.phase.unwrap().options;
const holdsAs: Readonly<Record<Condition['status'], number>> = { True: 1, False: 0, Unknown: -1 };

function ofStatus(
  metric: Metric,
  read: (status: ExperimentStatus) => number | undefined,
): Reading<SeenExperiment> {
  return { metric, read: ({ experiment: { status }, place }) => one(place, status && read(status)) };
}

function ofTechnique(metric: Metric, read: (row: SummaryRow) => number | undefined): Reading<SeenExperiment> {
  return {
    metric,
    read: ({ rows, place }) => rows.flatMap((row) => one(`${place},${techniqueText(row)}`, read(row))),
  };
}

type Study = NonNullable<ExperimentStatus['studies']>[number];

/** @param read values, with labels beside that of the study */
function ofStudy(
  metric: Metric,
  read: (study: Study) => readonly (readonly [labels: string, value: number | undefined])[],
): Reading<SeenExperiment> {
  return {
    metric,
    read: ({ experiment: { status }, place }) =>
      (status?.studies ?? []).flatMap((study) =>
        read(study).flatMap(([labels, value]) =>
          one(
            [place, labelText({ study: study.name }), labels].filter((text) => text !== '').join(','),
            value,
          ),
        ),
      ),
  };
}

function techniqueText({ stage, role, technique, student }: SummaryRow): string {
  return labelText({ stage, role, arm: role === 'distilled' ? technique : undefined, student });
}
