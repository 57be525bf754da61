import type { ExperimentStatus } from '@destillml/core/api/experiment.ts';
import type { Plan } from '@destillml/core/plan/plan.ts';
import type { Logger } from 'pino';
import type { ApiClient } from '../runtime/api-client.ts';
import { isAlreadyExists, isNotFound } from '../runtime/api-error.ts';
import type { Clock } from '../runtime/clock.ts';
import type { EventRecorder } from '../runtime/events.ts';
import { keyOf } from '../runtime/resource.ts';
import { experimentHappenings } from './experiment-happenings.ts';
import { type Experiment, experiments, type Run, runs } from './kinds.ts';
import { reportStatus } from './report-status.ts';
import type { World } from './world.ts';
import { attempt, type Refusal, WriteRefused } from './write-refused.ts';

export type ExperimentControllerDeps = {
  readonly client: ApiClient;
  readonly world: World;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Writes at once: a thousand Runs one by one take many seconds, all at once every other request's turn. */
const batch = 16;
type Writes = Pick<Plan, 'create' | 'stop' | 'pause' | 'start' | 'promote'>;

/** @returns whether the name of a Run is taken by one that has to go first */
export async function carryOut(
  { create, stop, pause, start, promote }: Writes,
  experiment: Experiment,
  deps: ExperimentControllerDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace } = experiment.metadata;
  const inCache = (name: string) => [name, deps.world.runs.cache.get(keyOf({ namespace, name }))] as const;
  // As they were decided on: creating takes a while.
  const decided = new Map(
    [...[...stop, ...promote].map(({ name }) => name), ...pause, ...start].map(inCache),
  );
  const change = async (name: string, spec: object) => {
    const run = decided.get(name);
    if (run !== undefined) await patchRun(run, { spec }, deps, signal);
  };
  let created = 0;
  const inTurn = [
    () => inBatches(stop, ({ name, reason, message }) => change(name, { stop: { reason, message } })),
    () => inBatches(pause, (name) => change(name, { suspend: true })),
    () => inBatches(start, (name) => change(name, { suspend: false })),
    () => inBatches(promote, ({ name, untilEpoch }) => change(name, { untilEpoch })),
  ];
  const refused = await unlessRefused(() =>
    inBatches(create, async (run) => {
      if (await createRun(run, deps, signal)) created += 1;
    }).finally(() => tellNumber(experiment, 'Created', created, deps)),
  );
  // Runs that are there get on although others cannot be created; but none is started in the place of one that stays.
  let refusedTurn: WriteRefused | undefined;
  for (const turn of inTurn) refusedTurn ??= await unlessRefused(turn);
  const first = refused ?? refusedTurn;
  if (first !== undefined) throw first;
  return created < create.length;
}

async function unlessRefused(write: () => Promise<void>): Promise<WriteRefused | undefined> {
  try {
    await write();
    return undefined;
  } catch (error) {
    if (error instanceof WriteRefused) return error;
    throw error;
  }
}

/**
 * Takes over those of the Runs that are there already because their Experiment was deleted without them, as they are
 * and with their results. @returns whether there were any
 */
export async function adopt(
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
  { client, world }: ExperimentControllerDeps,
  signal: AbortSignal,
): Promise<boolean> {
  if (world.runs.cache.get(keyOf(run.metadata)) !== undefined) return false;
  try {
    const created = client.create(runs, run, signal);
    world.runs.cache.wrote(await attempt('Its Runs cannot all be created', created));
    return true;
  } catch (error) {
    if (isAlreadyExists(error)) return false;
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
    const changed = client.patch(runs, metadata, checked, signal);
    world.runs.cache.wrote(await attempt(`Its Run ${metadata.name} cannot be changed`, changed));
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

export function report(
  experiment: Experiment,
  status: ExperimentStatus,
  { client, world, recorder }: ExperimentControllerDeps,
  signal: AbortSignal,
  refused?: Refusal,
): Promise<void> {
  const deps = { client, cache: world.experiments.cache, recorder };
  const happenings = experimentHappenings(experiment, status);
  return reportStatus(experiments, experiment, status, happenings, deps, signal, refused);
}

/** Its Runs, Jobs and pods go with it; what they wrote to the storage stays. */
export async function expire(
  experiment: Experiment,
  { client, recorder }: ExperimentControllerDeps,
  signal: AbortSignal,
): Promise<void> {
  const { metadata, spec } = experiment;
  const { uid = '' } = metadata;
  try {
    await attempt('It cannot be deleted', client.delete(experiments, metadata, { uid }, signal));
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  const note = `Deleted ${spec.ttlSecondsAfterFinished} s after its end (spec.ttlSecondsAfterFinished).`;
  recorder.record({ regarding: experiment, type: 'Normal', reason: 'Expired', action: 'Delete', note });
}
