import type { Experiment, ExperimentStatus } from '../api/experiment.ts';
import type { Run } from '../api/run.ts';
import { runManifest } from './manifest.ts';
import type { Obstacle } from './obstacle.ts';
import { schedule } from './schedule.ts';
import { type Promotion, search } from './search.ts';
import { experimentStatus } from './status.ts';
import type { Stop } from './stop.ts';
import { skipReason, stops } from './stops.ts';
import { type ExternalTeacher, referenceTo, type TeacherState, teacherState } from './teacher.ts';
import { type Memory, type Wanted, wantedRuns } from './wanted.ts';

export type Observed = {
  /** With all defaults filled in. Its status is the one reported last. */
  readonly experiment: Experiment;
  /** The Runs of this Experiment; others are ignored. */
  readonly runs: readonly Run[];
  /** What was found for `spec.teacher.from`. Not needed for a teacher that the Experiment trains itself. */
  readonly teacher?: ExternalTeacher;
  /**
   * Something that only the caller can see, such as a queue that does not exist: while it is there, no Run is
   * started. `null`: the caller has looked and found nothing. `undefined`: it does not look for such things, and the
   * status says nothing about them.
   */
  readonly obstacle?: Obstacle | null | undefined;
  /** Why what was planned could not be written, or not all of it: the status is then of the world as it is. */
  readonly refused?: Obstacle | undefined;
  readonly now: Date;
};

/** What to write. Safe in this order, and when only the first part of it is written. */
export type Plan = {
  /** Runs to create, in the order in which they are wanted. Those that may train at once are not suspended. */
  readonly create: readonly Run[];
  /** Runs to end, and what to write to their `spec.stop`. */
  readonly stop: readonly Stop[];
  /** Names of Runs whose `spec.suspend` is to become true. */
  readonly pause: readonly string[];
  /** Names of Runs that exist already whose `spec.suspend` is to become false. */
  readonly start: readonly string[];
  /** Runs of a search that are paused, and what their `spec.untilEpoch` is to become. */
  readonly promote: readonly Promotion[];
  readonly status: ExperimentStatus;
};

/**
 * What an Experiment needs next, decided from what exists and nothing else.
 *
 * It can be called at any time, again after a crash and by two replicas: the same world gives the same plan, and
 * once it is carried out nothing is left to do until a Run moves on (or a stop has freed a slot). Runs that are
 * missing are created, also those that someone deleted: deleting a Run is how a user has it trained again.
 *
 * `memory`, kept by the caller from one plan of the Experiment to the next, changes nothing but the time it takes.
 */
export function plan(world: Observed, memory?: Memory): Plan {
  const { experiment, teacher: externalTeacher, obstacle, refused, now } = world;
  const wanted = wantedRuns(experiment, world.runs, referenceTo(externalTeacher), memory);
  const teacher = teacherState(experiment, wanted, externalTeacher);

  const beingDeleted = experiment.metadata.deletionTimestamp !== undefined;
  const missing = beingDeleted ? [] : missingRuns(experiment, wanted, teacher);
  const runs = inOrder(wanted, missing);

  const stop = stops(wanted, runs, teacher);
  const stopping = new Set(stop.map(({ name }) => name));

  const { start: startable, pause, free } = schedule(experiment, runs, stopping, teacher);
  const mayStart = !beingDeleted && !obstacle;
  const starting = new Set(mayStart ? startable : []);
  const known = { state: teacher, parameters: wanted.teacher };
  const found = search(experiment, wanted.studies, known, mayStart ? free : 0);
  const create = [
    ...missing.map((run) => (starting.has(run.metadata.name) ? started(run) : run)),
    ...found.create,
  ];
  const created = new Set(missing.map((run) => run.metadata.name));
  const start = [...starting].filter((name) => !created.has(name));

  const planned = {
    runs: [...runs, ...found.create],
    schedule: { start: [...starting, ...found.promote.map(({ name }) => name)], pause },
    stopping,
  };
  const asItIs = {
    runs: inOrder(wanted, []),
    schedule: { start: [], pause: [] },
    stopping: new Set<string>(),
  };
  const status = experimentStatus({
    experiment,
    wanted,
    ...(refused === undefined ? planned : asItIs),
    teacher,
    externalTeacher,
    obstacle,
    refused,
    now,
  });
  return { create, stop, pause, start, promote: found.promote, status };
}

/**
 * Wanted Runs that do not exist, all suspended; those that could never train are created stopped, so that their reason
 * is seen.
 */
function missingRuns(
  experiment: Experiment,
  { runs: wanted, shown }: Wanted,
  teacher: TeacherState,
): readonly Run[] {
  const names = new Set(shown.map((run) => run.metadata.name));
  return wanted
    .filter(({ name }) => !names.has(name))
    .filter(({ parameters: { role } }) => teacher.state !== 'unknown' || !needsTeacher.has(role))
    .map((run) => {
      const manifest = runManifest(experiment, run);
      const stop = skipReason(run.parameters.role, teacher);
      return stop ? { ...manifest, spec: { ...manifest.spec, stop } } : manifest;
    });
}

/** An explanation compares students with the teacher, so it waits to know which that is. */
const needsTeacher: ReadonlySet<string> = new Set(['distilled', 'explanation']);

function started(run: Run): Run {
  return { ...run, spec: { ...run.spec, suspend: false } };
}

/**
 * Runs in the order in which they are wanted, the others by name, then those of searches by study and number: without
 * those, of which there may be thousands, that have ended or rest at a rung.
 */
function inOrder({ runs: wanted, shown, left, studies }: Wanted, missing: readonly Run[]): readonly Run[] {
  const isOpenTrial = ({ spec: { trial } }: Run) =>
    trial !== undefined && studies.some(({ study }) => study.name === trial.study);
  const others = new Map(
    [...shown, ...left, ...missing].flatMap((run) =>
      isOpenTrial(run) ? [] : [[run.metadata.name, run] as const],
    ),
  );
  const first = wanted.flatMap(({ name }) => {
    const run = others.get(name);
    others.delete(name);
    return run ?? [];
  });
  const last = [...others.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return [...first, ...last, ...studies.flatMap(({ running }) => running)];
}
