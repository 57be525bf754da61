import { isDeepStrictEqual } from 'node:util';
import { isActive, isFinal, phaseOf } from '@destillml/core/plan/phases.ts';
import type { Logger } from 'pino';
import type { JobConfig } from '../jobs/config.ts';
import { label } from '../jobs/contract.ts';
import { workloadPriorityClass } from '../jobs/kueue-labels.ts';
import type { Job, Pod } from '../jobs/objects.ts';
import { isOutOfRetries } from '../jobs/retries.ts';
import type { ReportedStatus } from '../jobs/run-status.ts';
import { promoted } from '../jobs/rungs.ts';
import { isBeforeTeacher, type QueuedTeacher, teacherInLine } from '../jobs/turn.ts';
import type { ApiClient } from '../runtime/api-client.ts';
import { isAlreadyExists, isNotFound } from '../runtime/api-error.ts';
import { type Change, labelValue, ownerUids } from '../runtime/cache.ts';
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
import { clusterEvents, type Experiment, jobs, pods, type Run, runs, type Workload } from './kinds.ts';
import { Refusals } from './refusals.ts';
import { reportStatus } from './report-status.ts';
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
  const { world, config, clock } = deps;
  const refusals = new Refusals(deps);
  /** By key: when the status was last written, in monotonic milliseconds. */
  const written = new Map<string, number>();
  /** As they were known when their deletion was accepted: the watch tells of it later, and it is asked for once. */
  const removed = new WeakSet<Job>();
  const unwrittenFor = (key: string) => clock.monotonic() - (written.get(key) ?? Number.NEGATIVE_INFINITY);
  return async (key, signal) => {
    const run = world.runs.cache.get(key);
    const tell = async (status: ReportedStatus, of: Run, refused?: Refusal) => {
      await report(of, status, deps, signal, refused);
      written.set(key, clock.monotonic());
    };
    const remove = async (job: Job, why: string, of: Run) => {
      if (removed.has(job)) return;
      await removeJob(of, job, why, deps, signal);
      removed.add(job);
    };
    try {
      if (run === undefined) written.delete(key);
      const scene = run && { ...sceneOf(run, key, deps), unwrittenFor: unwrittenFor(key) };
      const result = scene === undefined ? {} : await reconcile(scene, { tell, remove }, deps, signal);
      refusals.settled(key);
      return result;
    } catch (error) {
      // As it is by now: some of it may have been written.
      const now = world.runs.cache.get(key);
      if (now === undefined) throw error;
      return await refusals.handle(now, error, async (refused) => {
        const scene = { ...sceneOf(now, key, deps), unwrittenFor: unwrittenFor(key), refused };
        const { status } = decideRun(scene, config);
        if (status !== undefined) await tell(status, now, refused);
      });
    }
  };
}

type Writes = {
  tell(status: ReportedStatus, of: Run): Promise<void>;
  remove(job: Job, why: string, of: Run): Promise<void>;
};

async function reconcile(
  seen: RunScene,
  { tell, remove }: Writes,
  deps: RunControllerDeps,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { config } = deps;
  let scene = seen;
  const { run } = scene;
  let decision = decideRun(scene, config);
  if (decision.needsPods) {
    scene = { ...scene, pods: await readPods(run, deps, signal), podsRead: true };
    decision = decideRun(scene, config);
  }
  if (decision.needsEvents) {
    decision = decideRun({ ...scene, events: await eventsAbout(scene, deps, signal) }, config);
  }
  if (decision.create !== undefined) {
    if (decision.status !== undefined) await tell(decision.status, run);
    const other = await createJob(decision.create, deps, signal);
    if (other === undefined) return {};
    decision = decideRun({ ...scene, job: other }, config);
  }
  const { deleteJob, status, requeueAfter } = decision;
  // How a pod ended is written while its Job is there: of one whose Job is gone, nobody knows whether that was why.
  if (status !== undefined) await tell(status, run);
  if (deleteJob && scene.job !== undefined) {
    await remove(scene.job, whyRemoved(scene, status), run);
  }
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
    // A teacher that enters a queue anew goes before those of its Experiment that wait there already.
    watching({ cache: world.kueue.workloads, synced: world.kueue.synced }, (change) =>
      change.type === 'added' ? itsController<Workload>('Job')(change).flatMap(studentsOf(world)) : [],
    ),
    // What a Job is made of, and what may stand in the way of it: also whether the teacher is shared.
    watching(world.experiments, (change) => {
      if (!makesOther(change)) return [];
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

/** Keys of the Runs that may train beside the teacher that has this key. */
function studentsOf(world: World): (key: string) => readonly string[] {
  return (key) => {
    const run = world.runs.cache.get(key);
    if (run?.spec.parameters.role !== 'teacher') return [];
    return ownerUids(run)
      .flatMap((uid) => world.runs.cache.byIndex('owner', uid))
      .filter((other) => other !== run && isActive(other))
      .map(({ metadata }) => keyOf(metadata));
  };
}

function sceneOf(run: Run, key: string, { world, clock }: RunControllerDeps): Omit<RunScene, 'unwrittenFor'> {
  const job = world.jobs.cache.get(key);
  const experiment = experimentOfRun(run, world.experiments.cache);
  return {
    run,
    experiment,
    teacherOwner: teacherOwner(run, world),
    job,
    pods: world.pods.cache.byIndex('run', key),
    podsRead: false,
    workload: workloadOf(job, world),
    teacher: queuedTeacher(run, experiment, world),
    events: undefined,
    now: new Date(clock.now()),
  };
}

function workloadOf(job: Job | undefined, { kueue }: World): Workload | undefined {
  return job && kueue.workloads.byIndex('owner', job.metadata.uid ?? '')[0];
}

/** The teacher that the Experiment itself trains, where it may be overtaken in a queue. */
function queuedTeacher(
  run: Run,
  experiment: Experiment | undefined,
  world: World,
): QueuedTeacher | undefined {
  const { queue, teacher: of } = experiment?.spec ?? {};
  if (queue === undefined || of?.model === undefined || run.spec.parameters.role === 'teacher') {
    return undefined;
  }
  const teachers = world.runs.cache.byIndex('teacherOf', experiment?.metadata.uid ?? '');
  // It is the first Run that is created; which is known first here, nobody can tell.
  if (teachers.length === 0) return { job: undefined, workload: undefined, knownFor: 0 };
  const teacher = teacherInLine(teachers);
  if (teacher === undefined) return undefined;
  const job = world.jobs.cache.get(keyOf(teacher.metadata));
  const workload = workloadOf(job, world);
  return { job, workload, knownFor: workload === undefined ? 0 : world.kueue.knownFor(workload) };
}

function teacherOwner(run: Run, world: World): Experiment | undefined {
  const { teacherRun, teacherNamespace } = run.spec.parameters;
  if (teacherRun === undefined) return undefined;
  const namespace = teacherNamespace ?? run.metadata.namespace;
  const teacher = world.runs.cache.get(keyOf({ namespace, name: teacherRun }));
  return teacher && experimentOfRun(teacher, world.experiments.cache);
}

/** Whether the Jobs of its Runs may come to be others. Labels are of no generation. */
function makesOther(change: Change<Experiment>): boolean {
  if (change.type !== 'updated' || changesSpec(change)) return true;
  return workloadPriorityClass(change.old) !== workloadPriorityClass(change.object);
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

function whyRemoved({ run, job, workload, teacher }: RunScene, status: ReportedStatus | undefined): string {
  if (run.spec.suspend || run.spec.stop !== undefined) return 'its pod ends.';
  const { phase, reason } = status ?? run.status ?? {};
  if (phase === 'Failed') return 'Kueue gave it up.';
  if (reason === promoted) return 'its Run is trained on; another follows.';
  if (job && isOutOfRetries(job)) {
    return 'it counts pods that were taken away as failures; another follows.';
  }
  return job && isBeforeTeacher(job, workload, teacher)
    ? 'the teacher goes first in the queue; another follows.'
    : 'its Experiment has changed; another follows.';
}

async function removeJob(
  run: Run,
  job: Job,
  why: string,
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
  const note = `Deleted Job ${job.metadata.name}: ${why}`;
  recorder.record({ regarding: run, type: 'Normal', reason: 'JobDeleted', action: 'DeleteJob', note });
}

function report(
  run: Run,
  status: ReportedStatus,
  { client, world, recorder }: RunControllerDeps,
  signal: AbortSignal,
  refused?: Refusal,
): Promise<void> {
  const deps = { client, cache: world.runs.cache, recorder };
  return reportStatus(runs, run, status, runHappenings(run, status), deps, signal, refused);
}
