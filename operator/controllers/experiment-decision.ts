import { isDeepStrictEqual } from 'node:util';
import type { ExperimentStatus } from '@destillml/core/api/experiment.ts';
import { hasEnded } from '@destillml/core/plan/phases.ts';
import { type Plan, plan } from '@destillml/core/plan/plan.ts';
import type { ExternalTeacher } from '@destillml/core/plan/teacher.ts';
import type { Memory } from '@destillml/core/plan/wanted.ts';
import type { Experiment, Run } from './kinds.ts';

/** What is seen of an Experiment and what belongs to it. */
export type ExperimentScene = {
  readonly experiment: Experiment;
  /** Those that it owns. */
  readonly runs: readonly Run[];
  readonly teacher: ExternalTeacher | undefined;
  /** What is wrong with `spec.queue`, if it is set. */
  readonly queueProblem: { readonly reason: string; readonly message: string } | undefined;
  /** What the API server will not have written for it. */
  readonly refused?: { readonly reason: string; readonly message: string } | undefined;
  readonly now: Date;
};

export type ExperimentDecision = {
  /** Its time is over: it is to be deleted, and its artifacts kept. */
  readonly expired: boolean;
  /** Runs to create, stop, pause, start and promote; nothing, once it has expired or is being deleted. */
  readonly runs: Omit<Plan, 'status'> | undefined;
  /** To write; undefined: what is written is right. */
  readonly status: ExperimentStatus | undefined;
  /** Whether the status says something new, other than how far its Runs are. */
  readonly isNews: boolean;
  /** When to look again although nothing changed, in milliseconds. */
  readonly requeueAfter?: number;
};

/** What an Experiment needs next. The same scene gives the same decision; carried out, it leaves nothing to do. */
export function decideExperiment(scene: ExperimentScene, memory?: Memory): ExperimentDecision {
  const { runs, teacher, refused, now } = scene;
  const experiment = explainable(scene);
  const nothing = { expired: false, runs: undefined, status: undefined, isNews: false };
  if (experiment.metadata.deletionTimestamp !== undefined) return nothing;

  const { status, ...writes } = plan(
    {
      experiment,
      runs,
      ...(teacher === undefined ? {} : { teacher }),
      obstacle: obstacle({ ...scene, experiment }) ?? null,
      refused,
      now,
    },
    memory,
  );
  const left = timeLeft(experiment, status, now);
  if (left !== undefined && left <= 0 && refused === undefined) return { ...nothing, expired: true };
  const before = experiment.status;
  const isWritten = before !== undefined && isDeepStrictEqual(status, before);
  return {
    expired: false,
    runs: writes,
    status: isWritten ? undefined : status,
    isNews: isNews(status, before),
    ...(left === undefined ? {} : { requeueAfter: left }),
  };
}

/**
 * Without storage nothing is left of networks that were trained, so nothing is asked about them any more. Before the
 * first has ended it stands in the way: see `obstacle`.
 */
function explainable({ experiment, runs }: ExperimentScene): Experiment {
  const { explain: _explain, ...spec } = experiment.spec;
  return spec.storage === undefined && runs.some(hasEnded) ? { ...experiment, spec } : experiment;
}

/** What stands in the way of starting anything. */
function obstacle({ experiment, queueProblem }: ExperimentScene): ExperimentScene['queueProblem'] {
  const { teacher, distillation, explain, storage, sweep } = experiment.spec;
  if (teacher.model !== undefined && distillation.length > 0 && storage === undefined) {
    return {
      reason: 'StorageMissing',
      message:
        'Without spec.storage the network of the teacher goes with its pod, and no student can be distilled from it. Set spec.storage to a PersistentVolumeClaim or an S3 bucket.',
    };
  }
  if (explain !== undefined && storage === undefined) {
    return {
      reason: 'StorageMissing',
      message:
        'Without spec.storage the networks go with their pods, and none can be explained. Set spec.storage to a PersistentVolumeClaim or an S3 bucket, or leave spec.explain out.',
    };
  }
  if (sweep?.algorithm.asha !== undefined && storage === undefined) {
    return {
      reason: 'StorageMissing',
      message:
        'Without spec.storage the checkpoints of Runs that are paused go with their pods, and none can be trained on. Set spec.storage to a PersistentVolumeClaim or an S3 bucket, or take another algorithm than asha.',
    };
  }
  return queueProblem;
}

/** Milliseconds to the end of `spec.ttlSecondsAfterFinished`, once it runs. */
function timeLeft({ spec }: Experiment, { completionTime }: ExperimentStatus, now: Date): number | undefined {
  const { ttlSecondsAfterFinished } = spec;
  if (ttlSecondsAfterFinished === undefined || completionTime === undefined) return undefined;
  return Date.parse(completionTime) + ttlSecondsAfterFinished * 1000 - now.getTime();
}

function isNews(status: ExperimentStatus, before: ExperimentStatus | undefined): boolean {
  const essence = ({ phase, conditions, observedGeneration, best }: ExperimentStatus) => ({
    phase,
    observedGeneration,
    best,
    conditions: conditions.map(({ type, status: state, reason }) => ({ type, state, reason })),
  });
  return before === undefined || !isDeepStrictEqual(essence(status), essence(before));
}
