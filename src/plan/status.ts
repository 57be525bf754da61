import type { Experiment, ExperimentStatus } from '../api/experiment.ts';
import { runPhases } from '../api/meta.ts';
import type { Run } from '../api/run.ts';
import { type BlockedRun, blockedRuns, blockedText } from './blocked.ts';
import { conditions, type Finding, timestamp } from './conditions.ts';
import { groupBySeeds, resultsOf } from './groups.ts';
import type { WantedRun } from './naming.ts';
import { type Obstacle, prerequisitesFinding } from './obstacle.ts';
import { hasEnded, isActive, isAtRung, outcomeOf, phaseOf } from './phases.ts';
import type { Schedule } from './schedule.ts';
import { spread } from './spread.ts';
import { isSettled } from './studies.ts';
import type { StudyState } from './study-state.ts';
import { studyStatus } from './study-status.ts';
import { type Tally, tallyOf, together } from './tally.ts';
import type { ExternalTeacher, TeacherState } from './teacher.ts';
import type { Wanted } from './wanted.ts';

/** The world as it is once what the plan writes has been written. */
export type Outlook = {
  readonly experiment: Experiment;
  readonly wanted: Wanted;
  /**
   * All Runs, those that the plan creates among them, but for those of searches that have ended or rest at a rung: they
   * are counted in `wanted`.
   */
  readonly runs: readonly Run[];
  /** What the plan starts, created Runs among them, and what it pauses. */
  readonly schedule: Pick<Schedule, 'start' | 'pause'>;
  /** Names of the Runs that the plan stops. */
  readonly stopping: ReadonlySet<string>;
  readonly teacher: TeacherState;
  readonly externalTeacher: ExternalTeacher | undefined;
  readonly obstacle: Obstacle | null | undefined;
  readonly refused: Obstacle | undefined;
  readonly now: Date;
};

/** The status to report. A second look at an unchanged world gives an equal one. */
export function experimentStatus(outlook: Outlook): ExperimentStatus {
  const { experiment, wanted, runs, now } = outlook;
  const previous = experiment.status;
  const { generation } = experiment.metadata;
  const ending = endOf(outlook);
  const tally = together([tallyOf(runs), ...wanted.studies.flatMap(restingOf)]);
  const activity = activityAfter(outlook);
  const phase = phaseOfExperiment(outlook, ending, tally);
  const startTime =
    previous?.startTime ?? tally.startTime ?? (activity.active > 0 ? timestamp(now) : undefined);
  const completionTime = ending ? (previous?.completionTime ?? timestamp(now)) : undefined;
  const { gpuSeconds } = tally;

  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    conditions: conditions(
      previous?.conditions ?? [],
      findings(outlook, ending, activity, tally),
      generation,
      now,
    ),
    runs: tally.phases,
    ...(wanted.studies.length === 0
      ? {}
      : { studies: wanted.studies.map((study) => studyStatus(study, outlook)) }),
    ...comparison(outlook),
    ...(gpuSeconds === undefined ? {} : { gpuSeconds }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(completionTime === undefined ? {} : { completionTime }),
  };
}

type Ending = { readonly type: 'Complete' | 'Failed'; readonly reason: string; readonly message: string };

/**
 * An Experiment ends when every wanted Run has ended and no other Run is left behind; those that a search has left at
 * a rung stay there. It is Complete if at least one Run succeeded, and Failed if none did.
 */
function endOf({ wanted, runs }: Outlook): Ending | undefined {
  if (!wanted.studies.every(isSettled)) return undefined;
  if (!runs.every((run) => hasEnded(run) || isAtRung(run))) return undefined;
  const existing = new Map([...wanted.shown, ...runs].map((run) => [run.metadata.name, run]));
  const own = wanted.runs.flatMap(({ name }) => existing.get(name) ?? []);
  if (own.length < wanted.runs.length) return undefined;

  const counts = tallyOf(own).phases;
  const succeeded = counts.Succeeded ?? 0;
  const others = runPhases.flatMap((phase) =>
    phase !== 'Succeeded' && counts[phase] ? [`${counts[phase]} ${phase}`] : [],
  );
  // An operator once took a Job's word for the end of a Run whose pod it had not seen end.
  const unknown = own.filter((run) => phaseOf(run) === 'Succeeded' && !isKnown(run)).length;
  const unread = unknown === 0 ? [] : [`the result of ${unknown} is not known`];
  const failed = wanted.studies.filter(({ state }) => state === 'failed').length;
  const searches = failed === 0 ? [] : [`${failed} of ${wanted.studies.length} studies failed`];
  const tally = [`${succeeded} of ${own.length} Runs succeeded`, ...others, ...unread, ...searches].join(
    ', ',
  );
  const first = own.find((run) => phaseOf(run) === 'Failed');
  const message = first ? `${tally}. First: Run ${first.metadata.name}: ${outcomeOf(first)}` : `${tally}.`;
  if (succeeded === 0) return { type: 'Failed', reason: 'NoRunSucceeded', message };
  return {
    type: 'Complete',
    reason: succeeded === own.length && failed === 0 ? 'AllRunsSucceeded' : 'SomeRunsFailed',
    message,
  };
}

/** Whether it is known what the Run came to. */
function isKnown({ status }: Run): boolean {
  return status?.result !== undefined || status?.explanation !== undefined;
}

function phaseOfExperiment(
  { experiment }: Outlook,
  ending: Ending | undefined,
  { count, phases: { Waiting = 0, Queued = 0 } }: Tally,
): ExperimentStatus['phase'] {
  if (ending) return ending.type;
  if (experiment.spec.suspend) return 'Suspended';
  return count > Waiting + Queued ? 'Running' : 'Pending';
}

type Activity = { readonly active: number; readonly blocked: readonly BlockedRun[] };

function findings(
  outlook: Outlook,
  ending: Ending | undefined,
  activity: Activity,
  { count, ended }: Tally,
): readonly Finding[] {
  const { experiment, wanted, teacher } = outlook;
  const unfinished = count - ended;
  const open = { reason: 'RunsUnfinished', message: `${unfinished} of ${count} Runs have not ended.` };
  const endFinding = (type: Ending['type']): Finding =>
    ending?.type === type ? { ...ending, status: 'True' } : { ...(ending ?? open), type, status: 'False' };
  const { suspend } = experiment.spec;
  // What has ended or is being deleted starts nothing any more: nothing that it needs is missing.
  const isOver = ending !== undefined || experiment.metadata.deletionTimestamp !== undefined;
  const obstacle = outlook.obstacle && isOver ? null : outlook.obstacle;

  return [
    endFinding('Complete'),
    endFinding('Failed'),
    {
      type: 'Progressing',
      ...progress(outlook, ending, obstacle, activity, unfinished),
    },
    {
      type: 'Suspended',
      status: suspend ? 'True' : 'False',
      ...(suspend
        ? { reason: 'SuspendRequested', message: 'spec.suspend is true; set it to false to go on.' }
        : { reason: 'NotRequested', message: 'spec.suspend is false.' }),
    },
    ...prerequisitesFinding(obstacle),
    {
      type: 'TeacherReady',
      status: teacher.state === 'ready' ? 'True' : 'False',
      reason: teacher.reason,
      message: teacher.message,
    },
    ...searchFinding(wanted.studies),
    ...scarcityFinding(wanted),
  ];
}

function progress(
  { experiment, teacher, refused }: Outlook,
  ending: Ending | undefined,
  obstacle: Obstacle | null | undefined,
  { active, blocked }: Activity,
  unfinished: number,
): Omit<Finding, 'type'> {
  if (refused) return refusedProgress(refused, active, unfinished - active, blocked.length);
  if (ending) return { status: 'False', reason: ending.reason, message: ending.message };
  if (active > 0) return activeProgress(active, unfinished - active, blocked);
  if (obstacle) return { status: 'False', reason: obstacle.reason, message: obstacle.message };
  if (experiment.spec.suspend) {
    return { status: 'False', reason: 'Suspended', message: 'spec.suspend is true.' };
  }
  if (teacher.state === 'unknown')
    return { status: 'False', reason: teacher.reason, message: teacher.message };
  return { status: 'True', reason: 'RunsWaiting', message: `${unfinished} Runs wait or are about to end.` };
}

/** Runs that do not get on are told of; where none of the active ones does, the Experiment does not either. */
function activeProgress(
  active: number,
  waiting: number,
  blocked: readonly BlockedRun[],
): Omit<Finding, 'type'> {
  const [first, ...others] = blocked;
  const tally = `${active} Runs active, ${waiting} waiting`;
  if (first === undefined) return { status: 'True', reason: 'RunsActive', message: `${tally}.` };
  const text = blockedText(first, others.length);
  if (blocked.length === active) return { status: 'False', reason: first.reason, message: text };
  const count = blocked.length === 1 ? '1 does' : `${blocked.length} do`;
  return { status: 'True', reason: 'RunsActive', message: `${tally}; ${count} not get on: ${text}` };
}

/** What may not be written is told of also while Runs get on. */
function refusedProgress(
  { reason, message }: Obstacle,
  active: number,
  waiting: number,
  blocked: number,
): Omit<Finding, 'type'> {
  if (active === blocked) return { status: 'False', reason, message };
  return {
    status: 'True',
    reason: 'RunsActive',
    message: `${active} Runs active, ${waiting} waiting. ${message}`,
  };
}

function searchFinding(studies: readonly StudyState[]): readonly Finding[] {
  if (studies.length === 0) return [];
  const type = 'SearchEnded';
  const settled = studies.filter(isSettled);
  const failed = studies.filter(({ state }) => state === 'failed');
  const tally = `${settled.length} of ${studies.length} studies have ended`;
  if (settled.length < studies.length) {
    return [{ type, status: 'False', reason: 'Searching', message: `${tally}.` }];
  }
  const [first] = failed;
  return first === undefined
    ? [{ type, status: 'True', reason: 'StudiesEnded', message: `${tally}.` }]
    : [
        {
          type,
          status: 'True',
          reason: 'StudyFailed',
          message: `${tally}, ${failed.length} of them without a result. First: ${first.study.name}: ${first.over?.message}`,
        },
      ];
}

function scarcityFinding({ scarcity }: Wanted): readonly Finding[] {
  if (scarcity.state === 'none') return [];
  const { reason, message } = scarcity;
  return [{ type: 'ScarcityReady', status: scarcity.state === 'chosen' ? 'True' : 'False', reason, message }];
}

/** The best distilled student of the main stage by validation accuracy; test accuracies are only reported. */
function comparison(
  outlook: Outlook,
): Pick<ExperimentStatus, 'best' | 'teacherAccuracy' | 'baselineAccuracy'> {
  const { wanted, externalTeacher } = outlook;
  const main = wanted.runs.filter(({ parameters }) => parameters.stage === 'main');
  const groups = accuracies(main, wanted.shown);
  const [best] = groups
    .filter(({ parameters }) => parameters.role === 'distilled')
    .sort((a, b) => b.validation.mean - a.validation.mean);
  const own = groups.find(({ parameters }) => parameters.role === 'teacher')?.test;
  const external = externalTeacher && 'run' in externalTeacher ? externalTeacher.result : undefined;
  const teacherAccuracy = own ?? (external ? { mean: external.testAccuracy } : undefined);
  const baselineAccuracy = groups.find(
    ({ parameters }) => parameters.role === 'baseline' && parameters.student === best?.parameters.student,
  )?.test;
  const { arm, student } = best?.parameters ?? {};
  return {
    ...(best && arm !== undefined && student !== undefined
      ? { best: { arm, student, testAccuracy: best.test } }
      : {}),
    ...(teacherAccuracy ? { teacherAccuracy } : {}),
    ...(baselineAccuracy ? { baselineAccuracy } : {}),
  };
}

function accuracies(wanted: readonly WantedRun[], runs: readonly Run[]) {
  return groupBySeeds(wanted, runs).flatMap(({ parameters, runs: members }) => {
    const results = resultsOf(members);
    const validation = spread(results.map((result) => result.validationAccuracy));
    const test = spread(results.map((result) => result.testAccuracy));
    return validation && test ? [{ parameters, validation, test }] : [];
  });
}

/** The Runs that the plan leaves active or starts. Those that it starts have not yet had a chance to get on. */
function activityAfter({ runs, schedule, stopping }: Outlook): Activity {
  const pausing = new Set(schedule.pause);
  const staying = runs.filter(
    (run) => isActive(run) && !stopping.has(run.metadata.name) && !pausing.has(run.metadata.name),
  );
  return { active: staying.length + schedule.start.length, blocked: blockedRuns(staying) };
}

/** The Runs of a study that are not among those of an outlook. */
function restingOf({ parts }: StudyState): readonly Tally[] {
  return parts.map(({ resting }) => resting);
}
