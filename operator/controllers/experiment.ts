import { isDeepStrictEqual } from 'node:util';
import type { ExperimentStatus } from '@destillml/core/api/experiment.ts';
import type { Plan } from '@destillml/core/plan/plan.ts';
import type { ExternalTeacher } from '@destillml/core/plan/teacher.ts';
import type { Memory } from '@destillml/core/plan/wanted.ts';
import { workloadPriorityClass } from '../jobs/kueue-labels.ts';
import type { ApiClient } from '../runtime/api-client.ts';
import { ApiError, isAlreadyExists, isNotFound } from '../runtime/api-error.ts';
import type { Change } from '../runtime/cache.ts';
import type { Clock } from '../runtime/clock.ts';
import { itsController, itself, type Reconcile, type Source, watching } from '../runtime/controller.ts';
import type { EventRecorder } from '../runtime/events.ts';
import { keyOf } from '../runtime/resource.ts';
import { decideExperiment } from './experiment-decision.ts';
import { experimentHappenings } from './experiment-happenings.ts';
import { externalTeacher } from './external-teacher.ts';
import { type Experiment, experiments, type Run, runs } from './kinds.ts';
import { type Known, teacherKey, type World } from './world.ts';

export type ExperimentControllerDeps = {
  readonly client: ApiClient;
  readonly world: World;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
};

/** Writes at once: a thousand Runs one by one take many seconds, all at once every other request's turn. */
const batch = 16;
/** How often a status is written in which only numbers changed, in milliseconds. */
const statusPause = 1_000;
/** Another look at what is in the way of a Run, in milliseconds. */
const collisionPause = 1_000;

/** Brings each Experiment from its spec to Runs, and what becomes of those back into its status. */
export function experimentReconciler(deps: ExperimentControllerDeps): Reconcile {
  const { world, clock } = deps;
  /** By key: when its status was last written, in monotonic milliseconds; and what makes its next plan quicker. */
  const written = new Map<string, number>();
  const memories = new Map<string, Memory>();
  return async (key, signal) => {
    const experiment = world.experiments.cache.get(key);
    if (experiment === undefined) {
      written.delete(key);
      memories.delete(key);
      return {};
    }
    const memory = memories.get(key) ?? {};
    memories.set(key, memory);
    const scene = {
      experiment,
      runs: ownRuns(world, experiment),
      teacher: teacherOf(experiment, world),
      queueProblem: queueProblem(experiment, world),
      now: new Date(clock.now()),
    };
    const decision = decideExperiment(scene, memory);
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
      const pause = (written.get(key) ?? Number.NEGATIVE_INFINITY) + statusPause - clock.monotonic();
      if (decision.isNews || pause <= 0) {
        await report(experiment, decision.status, deps, signal);
        written.set(key, clock.monotonic());
      } else {
        waits.push(pause);
      }
    }
    const [first] = waits.flatMap((wait) => wait ?? []).sort((a, b) => a - b);
    return { requeueAfter: first };
  };
}

/** What Experiments are reconciled for. */
export function experimentSources(world: World): readonly Source[] {
  const keys = (found: readonly Experiment[]) => found.map(({ metadata }) => keyOf(metadata));
  const taughtBy = (kind: 'experiment' | 'run', ref: { namespace?: string | undefined; name: string }) =>
    keys(world.experiments.cache.byIndex('teacher', teacherKey(kind, ref)));
  return [
    watching(world.experiments, itself),
    watching(world.experiments, ({ object: { metadata } }) => taughtBy('experiment', metadata)),
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

type Writes = Pick<Plan, 'create' | 'stop' | 'pause' | 'start'>;

/** @returns whether the name of a Run is taken by one that has to go first */
async function carryOut(
  { create, stop, pause, start }: Writes,
  experiment: Experiment,
  deps: ExperimentControllerDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace } = experiment.metadata;
  const inCache = (name: string) => [name, deps.world.runs.cache.get(keyOf({ namespace, name }))] as const;
  // As they were decided on: creating takes a while.
  const decided = new Map([...stop.map(({ name }) => name), ...pause, ...start].map(inCache));
  const change = async (name: string, spec: object) => {
    const run = decided.get(name);
    if (run !== undefined) await patchRun(run, { spec }, deps, signal);
  };
  let created = 0;
  try {
    await inBatches(create, async (run) => {
      if (await createRun(run, experiment, deps, signal)) created += 1;
    });
  } finally {
    tellNumber(experiment, 'Created', created, deps);
  }
  await inBatches(stop, ({ name, reason, message }) => change(name, { stop: { reason, message } }));
  await inBatches(pause, (name) => change(name, { suspend: true }));
  await inBatches(start, (name) => change(name, { suspend: false }));
  return created < create.length;
}

/**
 * Takes over those of the Runs that are there already because their Experiment was deleted without them, as they are
 * and with their results. @returns whether there were any
 */
async function adopt(
  wanted: readonly Run[],
  experiment: Experiment,
  deps: ExperimentControllerDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const orphans = wanted.flatMap(({ metadata, spec }) => {
    const there = deps.world.runs.cache.get(keyOf(metadata));
    return there && isOrphan(there) && there.spec.experiment === spec.experiment
      ? [{ run: there, ownerReferences: metadata.ownerReferences }]
      : [];
  });
  await inBatches(orphans, ({ run, ownerReferences }) =>
    patchRun(run, { metadata: { ownerReferences } }, deps, signal),
  );
  tellNumber(experiment, 'Adopted', orphans.length, deps);
  return orphans.length > 0;
}

function isOrphan({ metadata: { deletionTimestamp, ownerReferences = [] } }: Run): boolean {
  return deletionTimestamp === undefined && !ownerReferences.some(({ controller }) => controller);
}

/** One batch after the other, so that what comes first is also done first. */
async function inBatches<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  for (let begin = 0; begin < items.length; begin += batch) {
    const outcomes = await Promise.allSettled(items.slice(begin, begin + batch).map(act));
    const failed = outcomes.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }
}

function tellNumber(
  experiment: Experiment,
  done: 'Created' | 'Adopted',
  count: number,
  { recorder }: ExperimentControllerDeps,
): void {
  if (count === 0) return;
  recorder.record({
    regarding: experiment,
    type: 'Normal',
    reason: `Runs${done}`,
    action: 'CreateRuns',
    note: count === 1 ? `${done} a Run.` : `${done} ${count} Runs.`,
  });
}

/** @returns false if the name is taken by a Run that has to go first, such as one of an earlier Experiment of that name */
async function createRun(
  run: Run,
  experiment: Experiment,
  deps: ExperimentControllerDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const { client, world, recorder } = deps;
  if (world.runs.cache.get(keyOf(run.metadata)) !== undefined) return false;
  try {
    world.runs.cache.wrote(await client.create(runs, run, signal));
    return true;
  } catch (error) {
    if (isAlreadyExists(error)) return false;
    if (error instanceof ApiError) {
      const note = `Run ${run.metadata.name} could not be created: ${error.message}`;
      recorder.record({
        regarding: experiment,
        type: 'Warning',
        reason: 'CreateFailed',
        action: 'CreateRuns',
        note,
      });
    }
    throw error;
  }
}

/** Changes a Run, unless it has changed since it was looked at. */
async function patchRun(
  { metadata }: Run,
  patch: { readonly metadata?: object; readonly spec?: object },
  { client, world }: ExperimentControllerDeps,
  signal: AbortSignal,
): Promise<void> {
  const { uid, resourceVersion } = metadata;
  try {
    const checked = { ...patch, metadata: { ...patch.metadata, uid, resourceVersion } };
    world.runs.cache.wrote(await client.patch(runs, metadata, checked, signal));
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

async function report(
  experiment: Experiment,
  status: ExperimentStatus,
  { client, world, recorder }: ExperimentControllerDeps,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace, uid, resourceVersion } = experiment.metadata;
  try {
    const metadata = { name, namespace, uid, resourceVersion };
    world.experiments.cache.wrote(await client.applyStatus(experiments, { metadata, status }, signal));
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  for (const happening of experimentHappenings(experiment, status)) recorder.record(happening);
}

/** Its Runs, Jobs and pods go with it; what they wrote to the storage stays. */
async function expire(
  experiment: Experiment,
  { client, recorder }: ExperimentControllerDeps,
  signal: AbortSignal,
): Promise<void> {
  const { metadata, spec } = experiment;
  const { uid = '' } = metadata;
  try {
    await client.delete(experiments, metadata, { uid }, signal);
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  const note = `Deleted ${spec.ttlSecondsAfterFinished} s after its end (spec.ttlSecondsAfterFinished).`;
  recorder.record({ regarding: experiment, type: 'Normal', reason: 'Expired', action: 'Delete', note });
}
