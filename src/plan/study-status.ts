import type { Experiment, ExperimentStatus } from '../api/experiment.ts';
import type { Run } from '../api/run.ts';
import type { Obstacle } from './obstacle.ts';
import type { StudyState } from './study-state.ts';
import { sweptValues } from './swept.ts';
import { tallyOf, together } from './tally.ts';
import type { TeacherState } from './teacher.ts';

type StudyStatus = NonNullable<ExperimentStatus['studies']>[number];

/** What a study is in. */
type Around = {
  readonly experiment: Experiment;
  /** Of the Experiment, those that the plan creates among them, but for trials that have ended or rest at a rung. */
  readonly runs: readonly Run[];
  readonly teacher: TeacherState;
  readonly obstacle: Obstacle | null | undefined;
};

/** What is reported of a study. */
export function studyStatus(planned: StudyState, around: Around): StudyStatus {
  const { study, best, parts } = planned;
  const own = tallyOf(around.runs.filter(({ spec }) => spec.trial?.study === study.name));
  const rested = together(parts.map(({ resting }) => resting));
  const all = together([own, rested]);
  const accuracy = best?.trial.reports.at(-1)?.value;
  return {
    name: study.name,
    ...stateOf(planned, all.count, rested.count, around),
    runs: all.phases,
    ...(best === undefined || accuracy === undefined
      ? {}
      : {
          best: {
            run: best.run.metadata.name,
            number: best.trial.number,
            validationAccuracy: accuracy,
            values: sweptValues(best.trial.values),
          },
        }),
  };
}

function stateOf(
  planned: StudyState,
  runs: number,
  resting: number,
  around: Around,
): Pick<StudyStatus, 'state' | 'reason' | 'message'> {
  const { state, over } = planned;
  switch (state) {
    case 'ended':
      return { state: 'Ended', reason: over?.reason ?? 'Ended', message: over?.message ?? '' };
    case 'failed':
      return { state: 'Failed', reason: over?.reason ?? 'Failed', message: over?.message ?? '' };
    case 'closing':
      return {
        state: 'Searching',
        reason: over?.reason ?? 'Closing',
        message: `${over?.message ?? ''} ${runs - resting} Runs are about to end.`,
      };
    case 'open': {
      const waits = waitsFor(planned, around);
      if (runs === 0) return { state: 'Waiting', ...waits };
      const message = `${resting} of ${runs} Runs have ended or come to a rung.`;
      if (resting < runs) return { state: 'Searching', reason: 'RunsUnfinished', message };
      return { state: 'Searching', reason: waits.reason, message: `${message} ${waits.message}` };
    }
  }
}

/** Why none of its Runs is under way. What a condition tells at length stands there once, and not in every study. */
function waitsFor({ treatment }: StudyState, { experiment, teacher, obstacle }: Around): Obstacle {
  const { suspend, parallelism } = experiment.spec;
  if (suspend) return { reason: 'Suspended', message: 'It goes on once spec.suspend is false.' };
  if (obstacle)
    return { reason: obstacle.reason, message: 'The condition PrerequisitesMet says what is missing.' };
  if (treatment.role === 'distilled' && teacher.state !== 'ready') {
    const isTraining = teacher.state === 'training';
    return {
      reason: teacher.reason,
      message: isTraining
        ? teacher.message
        : 'The condition TeacherReady says what is wrong with its teacher.',
    };
  }
  return { reason: 'WaitingForSlots', message: `Other Runs have all of spec.parallelism, ${parallelism}.` };
}
