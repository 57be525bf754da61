import { isFinal, phaseOf } from '@destillml/core/plan/phases.ts';
import type { JobConfig } from '../jobs/config.ts';
import { label } from '../jobs/contract.ts';
import type { Job, Pod } from '../jobs/objects.ts';
import type { ReportedStatus } from '../jobs/run-status.ts';
import type { ApiClient } from '../runtime/api-client.ts';
import { isAlreadyExists, isNotFound } from '../runtime/api-error.ts';
import { type Change, labelValue } from '../runtime/cache.ts';
import type { Clock } from '../runtime/clock.ts';
import { itsController, itself, type Reconcile, type Source, watching } from '../runtime/controller.ts';
import type { EventRecorder } from '../runtime/events.ts';
import { keyOf } from '../runtime/resource.ts';
import { clusterEvents, type Experiment, jobs, pods, type Run, runs } from './kinds.ts';
import { decideRun, type RunScene } from './run-decision.ts';
import { runHappenings } from './run-happenings.ts';
import type { World } from './world.ts';

export type RunControllerDeps = {
  readonly client: ApiClient;
  readonly world: World;
  readonly config: JobConfig;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
};

/** Brings each Run from its spec to a Job, and what becomes of that back into its status. */
export function runReconciler(deps: RunControllerDeps): Reconcile {
  const { world, config } = deps;
  return async (key, signal) => {
    const run = world.runs.cache.get(key);
    if (run === undefined) return {};
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
  };
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
    // What a Job is made of, and what may stand in the way of it.
    watching(world.experiments, (change) =>
      isSpecChange(change)
        ? world.runs.cache
            .byIndex('owner', change.object.metadata.uid ?? '')
            .filter((run) => !run.spec.suspend && !isFinal(phaseOf(run)))
            .map(({ metadata }) => keyOf(metadata))
        : [],
    ),
  ];
}

function sceneOf(run: Run, key: string, { world, clock }: RunControllerDeps): RunScene {
  const { namespace } = run.metadata;
  const job = world.jobs.cache.get(key);
  const experiment = world.experiments.cache.get(keyOf({ namespace, name: run.spec.experiment }));
  const [workload] = job ? world.kueue.workloads.byIndex('owner', job.metadata.uid ?? '') : [];
  return {
    run,
    experiment: isOf(run, experiment) ? experiment : undefined,
    teacherOwner: teacherOwner(run, world),
    job,
    pods: world.pods.cache.byIndex('run', key),
    podsRead: false,
    workload,
    events: undefined,
    now: new Date(clock.now()),
  };
}

/** An Experiment that was deleted and made again under its name is another one. */
function isOf({ metadata }: Run, experiment: Experiment | undefined): boolean {
  const owner = metadata.ownerReferences?.find(({ kind, controller }) => controller && kind === 'Experiment');
  return owner === undefined || owner.uid === experiment?.metadata.uid;
}

function teacherOwner(run: Run, world: World): Experiment | undefined {
  const { teacherRun, teacherNamespace } = run.spec.parameters;
  if (teacherRun === undefined) return undefined;
  const namespace = teacherNamespace ?? run.metadata.namespace;
  const teacher = world.runs.cache.get(keyOf({ namespace, name: teacherRun }));
  if (teacher === undefined) return undefined;
  return world.experiments.cache.get(keyOf({ namespace, name: teacher.spec.experiment }));
}

function isSpecChange(change: Change<Experiment>): boolean {
  return change.type !== 'updated' || change.old.metadata.generation !== change.object.metadata.generation;
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
    world.jobs.cache.wrote(await client.create(jobs, job, signal));
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
    await client.delete(jobs, job.metadata, { uid, propagationPolicy: 'Foreground' }, signal);
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

async function report(
  run: Run,
  status: ReportedStatus,
  { client, world, recorder }: RunControllerDeps,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace, uid, resourceVersion } = run.metadata;
  try {
    // With the version it was decided on: whoever leads no longer, or knows less, overwrites nothing.
    const metadata = { name, namespace, uid, resourceVersion };
    world.runs.cache.wrote(await client.applyStatus(runs, { metadata, status }, signal));
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  for (const happening of runHappenings(run, status)) recorder.record(happening);
}
