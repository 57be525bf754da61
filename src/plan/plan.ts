import type { Experiment, ExperimentStatus } from '../api/experiment.ts';
import type { Run } from '../api/run.ts';
import { runManifest } from './manifest.ts';
import type { WantedRun } from './naming.ts';
import { schedule } from './schedule.ts';
import { experimentStatus } from './status.ts';
import { type Stop, skipReason, stops } from './stops.ts';
import { type ExternalTeacher, referenceTo, type TeacherState, teacherState } from './teacher.ts';
import { wantedRuns } from './wanted.ts';

export type Observed = {
  /** With all defaults filled in. Its status is the one reported last. */
  readonly experiment: Experiment;
  /** The Runs of this Experiment; others are ignored. */
  readonly runs: readonly Run[];
  /** What was found for `spec.teacher.from`. Not needed for a teacher that the Experiment trains itself. */
  readonly teacher?: ExternalTeacher;
  readonly now: Date;
};

/** What to write. Safe in this order, and when only the first part of it is written. */
export type Plan = {
  /** Runs to create; all suspended. */
  readonly create: readonly Run[];
  /** Runs to end, and what to write to their `spec.stop`. */
  readonly stop: readonly Stop[];
  /** Names of Runs whose `spec.suspend` is to become true. */
  readonly pause: readonly string[];
  /** Names of Runs, created ones among them, whose `spec.suspend` is to become false. */
  readonly start: readonly string[];
  readonly status: ExperimentStatus;
};

/**
 * What an Experiment needs next, decided from what exists and nothing else.
 *
 * It can be called at any time, again after a crash and by two replicas: the same world gives the same plan, and
 * once it is carried out nothing is left to do until a Run moves on (or a stop has freed a slot). Runs that are missing are created, also those that
 * someone deleted: deleting a Run is how a user has it trained again.
 */
export function plan({ experiment, runs: observed, teacher: externalTeacher, now }: Observed): Plan {
  const existing = observed.filter((run) => run.spec.experiment === experiment.metadata.name);

  const wanted = wantedRuns(experiment, existing, referenceTo(externalTeacher));
  const teacher = teacherState(experiment, wanted.runs, existing, externalTeacher);

  const beingDeleted = experiment.metadata.deletionTimestamp !== undefined;
  const create = beingDeleted ? [] : missingRuns(experiment, wanted.runs, existing, teacher);
  const runs = inOrder(wanted.runs, [...existing, ...create]);

  const stop = stops(wanted.runs, runs, teacher);
  const stopping = new Set(stop.map(({ name }) => name));

  const { start, pause } = schedule(experiment, runs, stopping, teacher);
  const next = { start: beingDeleted ? [] : start, pause };

  const status = experimentStatus({
    experiment,
    wanted,
    runs,
    schedule: next,
    stopping,
    teacher,
    externalTeacher,
    now,
  });
  return { create, stop, ...next, status };
}

/** Wanted Runs that do not exist; those that could never train are created stopped, so that their reason is seen. */
function missingRuns(
  experiment: Experiment,
  wanted: readonly WantedRun[],
  existing: readonly Run[],
  teacher: TeacherState,
): readonly Run[] {
  const names = new Set(existing.map((run) => run.metadata.name));
  return wanted
    .filter(({ name }) => !names.has(name))
    .filter(({ parameters }) => parameters.role !== 'distilled' || teacher.state !== 'unknown')
    .map((run) => {
      const manifest = runManifest(experiment, run);
      const stop = skipReason(run.parameters.role, teacher);
      return stop ? { ...manifest, spec: { ...manifest.spec, stop } } : manifest;
    });
}

/** Runs in the order in which they are wanted, then the others by name. */
function inOrder(wanted: readonly WantedRun[], runs: readonly Run[]): readonly Run[] {
  const position = new Map(wanted.map(({ name }, index) => [name, index]));
  const of = (run: Run) => position.get(run.metadata.name) ?? wanted.length;
  return runs.toSorted((a, b) => of(a) - of(b) || (a.metadata.name < b.metadata.name ? -1 : 1));
}
