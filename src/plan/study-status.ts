import type { ExperimentStatus } from '../api/experiment.ts';
import type { Run } from '../api/run.ts';
import type { StudyState } from './study-state.ts';
import { sweptValues } from './swept.ts';
import { tallyOf, together } from './tally.ts';

type StudyStatus = NonNullable<ExperimentStatus['studies']>[number];

/**
 * What is reported of a study. `others` are the Runs of the Experiment, those that the plan creates among them, but for
 * those of the study that have ended or rest at a rung.
 */
export function studyStatus(
  { study, state, over, best, parts }: StudyState,
  others: readonly Run[],
): StudyStatus {
  const own = tallyOf(others.filter(({ spec }) => spec.trial?.study === study.name));
  const rested = together(parts.map(({ resting }) => resting));
  const all = together([own, rested]);
  const accuracy = best?.trial.reports.at(-1)?.value;
  return {
    name: study.name,
    ...stateOf(state, over, all.count, rested.count),
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
  state: StudyState['state'],
  over: StudyState['over'],
  runs: number,
  resting: number,
): Pick<StudyStatus, 'state' | 'reason' | 'message'> {
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
    case 'open':
      return runs === 0
        ? { state: 'Waiting', reason: 'NotStarted', message: 'For its teacher or its turn.' }
        : {
            state: 'Searching',
            reason: 'RunsUnfinished',
            message: `${resting} of ${runs} Runs have ended or come to a rung.`,
          };
  }
}
