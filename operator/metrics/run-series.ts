import { runPhases } from '@destillml/core/api/meta.ts';
import type { RunParameters, RunProgress, RunResult } from '@destillml/core/api/run.ts';
import type { Metric } from '@destillml/core/metrics/metric.ts';
import { runMetrics } from '@destillml/core/metrics/runs.ts';
import { blockedRuns } from '@destillml/core/plan/blocked.ts';
import { isActive, phaseOf } from '@destillml/core/plan/phases.ts';
import { historyStride } from '@destillml/core/protocol/history.ts';
import type { Run } from '../controllers/kinds.ts';
import { labelText, one, type Reading, type Series } from './exposition.ts';
import { seconds } from './seconds.ts';

/** A Run, and what is seen of it elsewhere. */
export type SeenRun = {
  readonly run: Run;
  /** Labels that tell which Run it is. */
  readonly place: string;
  /** The same, and those of what is trained in it. */
  readonly identity: string;
  /** GPUs of its pods that have a node and have not ended; undefined: it has none. */
  readonly gpus: number | undefined;
  /** Why it is Waiting, where its status says nothing of it. */
  readonly holdUp: string | undefined;
  /** Since when it has waited for its trainer to start; undefined: it does not. */
  readonly waitingSince: number | undefined;
  /** Failures by reason that were seen. */
  readonly failures: ReadonlyMap<string, number>;
};

export function seenRun(run: Run, rest: Omit<SeenRun, 'run' | 'place' | 'identity'>): SeenRun {
  const { metadata, spec } = run;
  const place = labelText({
    namespace: metadata.namespace,
    experiment: spec.experiment,
    run: metadata.name,
  });
  const identity = `${place},${trainedText(spec.parameters)}`;
  return { run, place, identity, ...rest };
}

type Trained = Pick<RunParameters, 'stage' | 'role' | 'arm' | 'student'> &
  Partial<Pick<RunParameters, 'seed'>>;

/** Labels that tell what is trained in a Run. */
export function trainedText({ stage, role, arm, student, seed }: Trained): string {
  return labelText({ stage, role, arm, student, seed: seed?.toString() });
}

export const runReadings: readonly Reading<SeenRun>[] = [
  {
    metric: runMetrics.info,
    read: ({ run, identity }) => {
      const { model, dataset } = run.spec.parameters;
      return [[`${identity},${labelText({ model, dataset: dataset.name })}`, 1]];
    },
  },
  {
    metric: runMetrics.phase,
    read: ({ run, place }) => {
      const phase = phaseOf(run);
      return phaseTexts.map(([name, text]) => [`${place},${text}`, name === phase ? 1 : 0]);
    },
  },
  {
    metric: runMetrics.blocked,
    read: ({ run, place }) =>
      isActive(run) ? blockedRuns([run]).map(({ reason }) => [`${place},${labelText({ reason })}`, 1]) : [],
  },
  { metric: runMetrics.reason, read: reasonOf },
  ofPlace(runMetrics.waitingSince, ({ waitingSince }) => waitingSince),
  {
    metric: runMetrics.epochAccuracy,
    read: ({ run, identity }) =>
      epochsOf(run).map(([epoch, accuracy]) => [`${identity},epoch="${epoch}"`, accuracy]),
  },
  {
    metric: runMetrics.accuracy,
    read: ({ run, identity }) => {
      const { result, progress } = run.status ?? {};
      const splits = [
        ['train', progress?.trainAccuracy],
        ['validation', result?.validationAccuracy ?? progress?.bestValidationAccuracy],
        ['test', result?.testAccuracy],
      ] as const;
      return splits.flatMap(([split, value]) =>
        value === undefined ? [] : [[`${identity},split="${split}"`, value] as const],
      );
    },
  },
  ofIdentity(runMetrics.top5Accuracy, ({ run }) => resultOf(run)?.testAccuracyTop5),
  ofIdentity(runMetrics.trainingSeconds, ({ run }) => resultOf(run)?.trainingSeconds),
  ofIdentity(
    runMetrics.imagesPerSecond,
    ({ run }) => resultOf(run)?.imagesPerSecond ?? pace(run)?.imagesPerSecond,
  ),
  ofIdentity(runMetrics.parameters, ({ run }) => resultOf(run)?.parameters),
  ofIdentity(runMetrics.flops, ({ run }) => resultOf(run)?.flops),
  {
    metric: runMetrics.parameter,
    read: ({ run, place }) =>
      Object.entries(run.spec.trial?.values ?? {}).map(([parameter, value]) => [
        `${place},${labelText({ parameter })}`,
        Number(value),
      ]),
  },
  {
    metric: runMetrics.trial,
    read: ({ run, place }) => {
      const { trial } = run.spec;
      return trial === undefined ? [] : [[`${place},${labelText({ study: trial.study })}`, trial.number]];
    },
  },
  // From 0 on, so that the first of them is an increase.
  ofIdentity(runMetrics.gpuSeconds, ({ run }) => run.status?.gpuSeconds ?? 0),
  ofIdentity(runMetrics.gpus, ({ gpus }) => gpus),
  ofIdentity(runMetrics.attempts, ({ run }) => run.status?.attempts ?? 0),
  ofIdentity(runMetrics.preemptions, ({ run }) => run.status?.preemptions ?? 0),
  {
    metric: runMetrics.failures,
    read: ({ place, failures }) =>
      [...failures].map(([reason, times]) => [`${place},${labelText({ reason })}`, times]),
  },
  ofPlace(runMetrics.createdTime, ({ run }) => seconds(run.metadata.creationTimestamp)),
  ofPlace(runMetrics.startTime, ({ run }) => seconds(run.status?.startTime)),
  ofPlace(runMetrics.completionTime, ({ run }) => seconds(run.status?.completionTime)),
  ofPlace(runMetrics.epoch, ({ run }) => epochOf(run.status?.progress) ?? run.status?.rungs?.at(-1)?.epoch),
  ofPlace(runMetrics.epochs, ({ run }) => run.status?.progress?.epochs),
  ofPlace(runMetrics.progressTime, ({ run }) => seconds(run.status?.progress?.updatedAt)),
  ofPlace(runMetrics.eta, ({ run }) => pace(run)?.etaSeconds),
];

const phaseTexts = runPhases.map((phase) => [phase, labelText({ phase })] as const);

type ReadNumber = (seen: SeenRun) => number | undefined;

function ofIdentity(metric: Metric, read: ReadNumber): Reading<SeenRun> {
  return { metric, read: (seen) => one(seen.identity, read(seen)) };
}

function ofPlace(metric: Metric, read: ReadNumber): Reading<SeenRun> {
  return { metric, read: (seen) => one(seen.place, read(seen)) };
}

function resultOf(run: Run): RunResult | undefined {
  return phaseOf(run) === 'Succeeded' ? run.status?.result : undefined;
}

/** Messages are cut to that many characters: they are for reading, and Prometheus keeps each of them. */
const messageLength = 200;

/** Words only of what has failed or does not get on: those of what waits change with what others do. */
function reasonOf({ run, place, holdUp }: SeenRun): readonly Series[] {
  const { phase, reason = holdUp, message } = run.status ?? {};
  const [blocked] = isActive(run) ? blockedRuns([run]) : [];
  const why = blocked?.reason ?? reason;
  if (why === undefined) return [];
  const words = blocked?.message ?? (phase === 'Failed' ? message : undefined);
  return [[`${place},${labelText({ reason: why, message: words?.slice(0, messageLength) })}`, 1]];
}

/** Points of a curve by epoch: enough to see its form, few enough for a Prometheus to keep of every Run. */
const mostPoints = 16;

/** Some of the epochs of a Run that is no trial, at even distances, with the validation accuracy after each. */
function epochsOf({ spec, status }: Run): readonly (readonly [epoch: number, accuracy: number])[] {
  const history = status?.history ?? [];
  if (spec.trial !== undefined) return [];
  const { epochs } = spec.parameters.training;
  const stride = historyStride(epochs);
  const step = Math.ceil(epochs / stride / mostPoints);
  return history.flatMap((accuracy, index) => {
    const place = index + 1;
    return place % step === 0 ? [[place * stride, accuracy] as const] : [];
  });
}

/** With the part of the current epoch that is done. */
function epochOf(progress: RunProgress | undefined): number | undefined {
  return progress && progress.epoch + progress.step / progress.steps;
}

/** What the trainer last said, while it trains. */
function pace(run: Run): RunProgress | undefined {
  return phaseOf(run) === 'Running' ? run.status?.progress : undefined;
}
