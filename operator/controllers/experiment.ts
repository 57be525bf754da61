import { isDeepStrictEqual } from 'node:util';
import type { ExternalTeacher } from '@destillml/core/plan/teacher.ts';
import type { Memory } from '@destillml/core/plan/wanted.ts';
import { workloadPriorityClass } from '../jobs/kueue-labels.ts';
import type { Change } from '../runtime/cache.ts';
import {
  changesSpec,
  itsController,
  itself,
  type Reconcile,
  type ReconcileResult,
  type Source,
  watching,
} from '../runtime/controller.ts';
import { keyOf } from '../runtime/resource.ts';
import { decideExperiment, type ExperimentScene } from './experiment-decision.ts';
import { adopt, carryOut, type ExperimentControllerDeps, expire, report } from './experiment-writes.ts';
import { externalTeacher } from './external-teacher.ts';
import type { Experiment, Run } from './kinds.ts';
import { Refusals } from './refusals.ts';
import { type Known, teacherKey, type World } from './world.ts';
import type { Refusal } from './write-refused.ts';

/** How often a status is written in which only numbers changed, in milliseconds. */
const statusPause = 1_000;
/** Another look at what is in the way of a Run, in milliseconds. */
const collisionPause = 1_000;

/** Brings each Experiment from its spec to Runs, and what becomes of those back into its status. */
export function experimentReconciler(deps: ExperimentControllerDeps): Reconcile {
  const { world } = deps;
  /** By key. */
  const histories = new Map<string, History>();
  const refusals = new Refusals(deps);
  return async (key, signal) => {
    const experiment = world.experiments.cache.get(key);
    if (experiment === undefined) {
      histories.delete(key);
      refusals.settled(key);
      return {};
    }
    const history = histories.get(key) ?? { written: Number.NEGATIVE_INFINITY, memory: {} };
    histories.set(key, history);
    try {
      const result = await reconcile(experiment, history, deps, signal);
      refusals.settled(key);
      return result;
    } catch (error) {
      return await refusals.handle(experiment, error, async (refused) => {
        // As it is by now: some of it may have been written.
        const now = world.experiments.cache.get(key);
        if (now === undefined) return;
        const { status, isNews } = decideExperiment(sceneOf(now, deps, refused), history.memory);
        if (status !== undefined && (isNews || pauseOf(history, deps) <= 0)) {
          await report(now, status, deps, signal, refused);
          history.written = deps.clock.monotonic();
        }
      });
    }
  };
}

type History = {
  /** When its status was last written, in monotonic milliseconds. */
  written: number;
  /** What makes its next plan quicker. */
  readonly memory: Memory;
};

async function reconcile(
  experiment: Experiment,
  history: History,
  deps: ExperimentControllerDeps,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const decision = decideExperiment(sceneOf(experiment, deps), history.memory);
  if (decision.expired) {
    await expire(experiment, deps, signal);
    return {};
  }
  if (decision.runs && (await adopt(decision.runs.create, experiment, deps, signal))) {
    // What was decided without them is void; their change brings the Experiment back here.
    return {};
  }
  const collided = decision.runs && (await carryOut(decision.runs, experiment, deps, signal));
  const waits = [decision.requeueAfter, collided ? collisionPause : undefined];
  if (decision.status !== undefined) {
    const pause = pauseOf(history, deps);
    if (decision.isNews || pause <= 0) {
      await report(experiment, decision.status, deps, signal);
      history.written = deps.clock.monotonic();
    } else {
      waits.push(pause);
    }
  }
  const [first] = waits.flatMap((wait) => wait ?? []).sort((a, b) => a - b);
  return { requeueAfter: first };
}

/** Until a status is written again in which only numbers changed, in milliseconds. */
function pauseOf({ written }: History, { clock }: ExperimentControllerDeps): number {
  return written + statusPause - clock.monotonic();
}

function sceneOf(
  experiment: Experiment,
  { world, clock }: ExperimentControllerDeps,
  refused?: Refusal,
): ExperimentScene {
  return {
    experiment,
    runs: ownRuns(world, experiment),
    teacher: teacherOf(experiment, world),
    queueProblem: queueProblem(experiment, world),
    refused,
    now: new Date(clock.now()),
  };
}

/** What Experiments are reconciled for. */
export function experimentSources(world: World): readonly Source[] {
  const keys = (found: readonly Experiment[]) => found.map(({ metadata }) => keyOf(metadata));
  const taughtBy = (kind: 'experiment' | 'run', ref: { namespace?: string | undefined; name: string }) =>
    keys(world.experiments.cache.byIndex('teacher', teacherKey(kind, ref)));
  return [
    watching(world.experiments, itself),
    // Also whether its networks are shared.
    watching(world.experiments, (change) => [
      ...taughtBy('experiment', change.object.metadata),
      ...(changesSpec(change)
        ? ownRuns(world, change.object).flatMap(({ metadata }) => taughtBy('run', metadata))
        : []),
    ]),
    // Runs come and go in crowds; a look at all of them takes the longer the more there are.
    watching(
      world.runs,
      (change) => (matters(change) ? itsController<Run>('Experiment')(change) : []),
      (key) => 50 + 0.1 * numberOfRuns(world, key),
    ),
    watching(world.runs, (change) => {
      const { metadata, spec } = change.object;
      if (spec.parameters.role !== 'teacher' && taughtBy('run', metadata).length === 0) return [];
      if (!matters(change)) return [];
      const { namespace } = metadata;
      return [...taughtBy('run', metadata), ...taughtBy('experiment', { namespace, name: spec.experiment })];
    }),
    // That there is one, not how full it is.
    watching({ cache: world.kueue.queues, synced: world.kueue.synced }, ({ type, object }) =>
      type === 'updated'
        ? []
        : keys(world.experiments.cache.byIndex('queued', object.metadata.namespace ?? '')),
    ),
    {
      synced: world.kueue.synced,
      subscribe: (enqueue) =>
        world.kueue.whenChanged(() => {
          const waiting = [...world.experiments.cache.values()].filter(
            ({ spec }) => spec.queue !== undefined,
          );
          for (const key of keys(waiting)) enqueue(key, 0);
        }),
    },
  ];
}

function numberOfRuns({ experiments: all, runs: { cache } }: World, key: string): number {
  return cache.countByIndex('owner', all.cache.get(key)?.metadata.uid ?? '');
}

/** Whether a plan may depend on it. */
function matters(change: Change<Run>): boolean {
  if (change.type !== 'updated') return true;
  const essence = ({ metadata, spec, status }: Run) => ({
    deleted: metadata.deletionTimestamp,
    owners: metadata.ownerReferences,
    spec,
    phase: status?.phase,
    reason: status?.reason,
    message: status?.message,
    conditions: status?.conditions,
    gpuSeconds: status?.gpuSeconds,
    result: status?.result,
    // A search stops what falls behind, and all others once one has come far enough.
    reached: spec.trial && [status?.progress?.epoch, status?.progress?.bestValidationAccuracy],
  });
  return !isDeepStrictEqual(essence(change.old), essence(change.object));
}

type Studies = { readonly experiments: Known<Experiment>; readonly runs: Known<Run> };

/** Runs that the Experiment owns. */
export function ownRuns(world: Pick<Studies, 'runs'>, { metadata }: Experiment): readonly Run[] {
  return world.runs.cache.byIndex('owner', metadata.uid ?? '');
}

/** What `spec.teacher.from` leads to. */
export function teacherOf(experiment: Experiment, world: Studies): ExternalTeacher | undefined {
  return externalTeacher(experiment, {
    run: (key) => world.runs.cache.get(key),
    experiment: (key) => world.experiments.cache.get(key),
    runsOf: (owner) => ownRuns(world, owner),
  });
}

function queueProblem(experiment: Experiment, { kueue }: World) {
  const { namespace = '' } = experiment.metadata;
  const { queue } = experiment.spec;
  const priorityClass = workloadPriorityClass(experiment);
  return queue === undefined ? undefined : kueue.problem({ namespace, name: queue, priorityClass });
}
