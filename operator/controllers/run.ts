import { isDeepStrictEqual } from 'node:util';
import { isFinal, phaseOf } from '@destillml/core/plan/phases.ts';
import type { Logger } from 'pino';
import type { JobConfig } from '../jobs/config.ts';
import { label } from '../jobs/contract.ts';
import type { Job, Pod } from '../jobs/objects.ts';
import type { ReportedStatus } from '../jobs/run-status.ts';
import type { ApiClient } from '../runtime/api-client.ts';
import { isAlreadyExists, isNotFound } from '../runtime/api-error.ts';
import { type Change, labelValue } from '../runtime/cache.ts';
import type { Clock } from '../runtime/clock.ts';
import {
  changesSpec,
  itsController,
  itself,
  type Reconcile,
  type ReconcileResult,
  type Source,
  watching,
} from '../runtime/controller.ts';
import type { EventRecorder } from '../runtime/events.ts';
import { keyOf } from '../runtime/resource.ts';
import { experimentOfRun } from './experiment-of-run.ts';
import { clusterEvents, type Experiment, jobs, pods, type Run, runs } from './kinds.ts';
import { Refusals } from './refusals.ts';
import { decideRun, type RunScene } from './run-decision.ts';
import { runHappenings } from './run-happenings.ts';
import type { World } from './world.ts';
import { attempt, type Refusal } from './write-refused.ts';

export type RunControllerDeps = {
  readonly client: ApiClient;
  readonly world: World;
  readonly config: JobConfig;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Brings each Run from its spec to a Job, and what becomes of that back into its status. */
export function runReconciler(deps: RunControllerDeps): Reconcile {
  const { world, config } = deps;
  const refusals = new Refusals(deps);
  return async (key, signal) => {
    const run = world.runs.cache.get(key);
    try {
      const result = run === undefined ? {} : await reconcile(run, key, deps, signal);
      refusals.settled(key);
      return result;
    } catch (error) {
      // As it is by now: some of it may have been written.
      const now = world.runs.cache.get(key);
      if (now === undefined) throw error;
      return await refusals.handle(now, error, async (refused) => {
        const { status } = decideRun({ ...sceneOf(now, key, deps), refused }, config);
        if (status !== undefined) await report(now, status, deps, signal, refused);
      });
    }
  };
}

async function reconcile(
  run: Run,
  key: string,
  deps: RunControllerDeps,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { config } = deps;
  let scene = sceneOf(run, key, deps);
  let decision = decideRun(scene, config);
  if (decision.needsPods) {
    scene = { ...scene, pods: await readPods(run, deps, signal), podsRead: true };
    decision = decideRun(scene, config);
  }
  if (decision.needsEvents) {
    decision = decideRun({ ...scene, events: await eventsAbout(scene, deps, signal) }, config);
  }
  if (decision.create !== undefined) {
    if (decision.status !== undefined) await report(run, decision.status, deps, signal);
    const other = await createJob(decision.create, deps, signal);
    if (other === undefined) return {};
    decision = decideRun({ ...scene, job: other }, config);
  }
  const { deleteJob, status, requeueAfter } = decision;
  if (deleteJob && scene.job !== undefined) {
    await removeJob(run, scene.job, status?.phase === 'Failed', deps, signal);
  }
  if (status !== undefined) await report(run, status, deps, signal);
  return { requeueAfter };
}

const runOfPod = labelValue(label.run);

/** What Runs are reconciled for. */
export function runSources(world: World): readonly Source[] {
  return [
    watching(world.runs, (change) => (isProgress(change) ? [] : itself(change))),
    watching(world.jobs, itsController('Run')),
    watching(world.pods, ({ object }) => runOfPod(object)),
    watching(
      { cache: world.kueue.workloads, synced: world.kueue.synced },
      // The Job has the Run's name.
      itsController('Job'),
    ),
    // What a Job is made of, and what may stand in the way of it: also whether the teacher is shared.
    watching(world.experiments, (change) => {
      if (!changesSpec(change)) return [];
      const own = world.runs.cache.byIndex('owner', change.object.metadata.uid ?? '');
      return [...own, ...own.flatMap(({ metadata }) => taughtBy(metadata, world))]
        .filter((run) => !run.spec.suspend && !isFinal(phaseOf(run)))
        .map(({ metadata }) => keyOf(metadata));
    }),
    watching(world.runs, (change) =>
      isOwnerChange(change)
        ? taughtBy(change.object.metadata, world).map(({ metadata }) => keyOf(metadata))
        : [],
    ),
  ];
}

function sceneOf(run: Run, key: string, { world, clock }: RunControllerDeps): RunScene {
  const job = world.jobs.cache.get(key);
  const [workload] = job ? world.kueue.workloads.byIndex('owner', job.metadata.uid ?? '') : [];
  return {
    run,
    experiment: experimentOfRun(run, world.experiments.cache),
    teacherOwner: teacherOwner(run, world),
    job,
    pods: world.pods.cache.byIndex('run', key),
    podsRead: false,
    workload,
    events: undefined,
    now: new Date(clock.now()),
  };
}

function teacherOwner(run: Run, world: World): Experiment | undefined {
  const { teacherRun, teacherNamespace } = run.spec.parameters;
  if (teacherRun === undefined) return undefined;
  const namespace = teacherNamespace ?? run.metadata.namespace;
  const teacher = world.runs.cache.get(keyOf({ namespace, name: teacherRun }));
  return teacher && experimentOfRun(teacher, world.experiments.cache);
}

/** Runs, of whichever Experiment, whose teacher is that Run. */
function taughtBy({ namespace, name }: Run['metadata'], { runs: { cache } }: World): readonly Run[] {
  return cache.byIndex('teacher', keyOf({ namespace, name }));
}

/** Whether the Run has come to be of an Experiment, or of none. */
function isOwnerChange(change: Change<Run>): boolean {
  return (
    change.type !== 'updated' ||
    !isDeepStrictEqual(change.old.metadata.ownerReferences, change.object.metadata.ownerReferences)
  );
}

/** Whether only what the trainer reports has changed, which nothing is decided by. */
function isProgress(change: Change<Run>): boolean {
  if (change.type !== 'updated') return false;
  const { old, object } = change;
  return (
    old.metadata.generation === object.metadata.generation &&
    old.metadata.deletionTimestamp === object.metadata.deletionTimestamp &&
    old.status?.progress?.updatedAt !== object.status?.progress?.updatedAt
  );
}

/** Those labelled with the Run's name as they are now, which the cache then shows, too. */
async function readPods(
  { metadata: { name, namespace } }: Run,
  { client, world }: RunControllerDeps,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  const selection = { namespace, labelSelector: `${label.run}=${name}` };
  const { items } = await client.list(pods, selection, signal);
  for (const pod of items) world.pods.cache.wrote(pod);
  return items;
}

async function eventsAbout({ job, pods }: RunScene, { client }: RunControllerDeps, signal: AbortSignal) {
  const about = [job, pods.at(-1)].flatMap((object) => object ?? []);
  const lists = about.map(({ metadata: { namespace, uid } }) =>
    client.list(clusterEvents, { namespace, fieldSelector: `involvedObject.uid=${uid}` }, signal),
  );
  return (await Promise.all(lists)).flatMap(({ items }) => items);
}

/** @returns the Job that has that name already, if one has */
async function createJob(
  job: Job,
  { client, world }: RunControllerDeps,
  signal: AbortSignal,
): Promise<Job | undefined> {
  try {
    const created = client.create(jobs, job, signal);
    world.jobs.cache.wrote(await attempt('Its Job cannot be created', created));
  } catch (error) {
    // Made before, and the watch has not told of it yet; or somebody else's.
    if (isAlreadyExists(error)) return await client.get(jobs, job.metadata, signal);
    throw error;
  }
  return undefined;
}

async function removeJob(
  run: Run,
  job: Job,
  gaveUp: boolean,
  deps: RunControllerDeps,
  signal: AbortSignal,
): Promise<void> {
  const { client, recorder } = deps;
  const { uid = '' } = job.metadata;
  try {
    // Foreground: it keeps its name until its pods are gone, so that the next Job cannot start beside them.
    const deleted = client.delete(jobs, job.metadata, { uid, propagationPolicy: 'Foreground' }, signal);
    await attempt('Its Job cannot be deleted', deleted);
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  const why =
    run.spec.suspend || run.spec.stop !== undefined
      ? 'its pod writes a checkpoint and ends.'
      : gaveUp
        ? 'Kueue gave it up.'
        : 'its Experiment has changed; another follows.';
  const note = `Deleted Job ${job.metadata.name}: ${why}`;
  recorder.record({ regarding: run, type: 'Normal', reason: 'JobDeleted', action: 'DeleteJob', note });
}

/** @param refused what the status is about, which was told of already */
async function report(
  run: Run,
  status: ReportedStatus,
  { client, world, recorder }: RunControllerDeps,
  signal: AbortSignal,
  refused?: Refusal,
): Promise<void> {
  const { name, namespace, uid, resourceVersion } = run.metadata;
  try {
    // With the version it was decided on: whoever leads no longer, or knows less, overwrites nothing.
    const metadata = { name, namespace, uid, resourceVersion };
    const applied = client.applyStatus(runs, { metadata, status }, signal);
    world.runs.cache.wrote(await attempt('Its status cannot be written', applied));
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  for (const happening of runHappenings(run, status)) {
    if (happening.note !== refused?.message) recorder.record(happening);
  }
}
