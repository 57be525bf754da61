import type { Experiment } from '../api/experiment.ts';
import type { Run } from '../api/run.ts';
import { phaseOf } from './phases.ts';

/**
 * Why a Run has not been allowed to train: its Experiment is suspended, its teacher has not succeeded, or as many Runs of
 * the Experiment as may train at once have their turn.
 */
export type HoldUp = 'Suspended' | 'TeacherNotReady' | 'NotItsTurn';

/**
 * What a Waiting Run waits for. No status tells it, as it would have to be written anew for every Run whenever another
 * one ends.
 *
 * @param experiment that it is of, if it is known
 * @param teacher the Run `teacherRun`, if it is there
 */
export function holdUpOf(
  run: Run,
  experiment: Pick<Experiment, 'spec'> | undefined,
  teacher: Run | undefined,
): HoldUp {
  if (experiment?.spec.suspend) return 'Suspended';
  const isTaught = teacher !== undefined && phaseOf(teacher) === 'Succeeded';
  return run.spec.parameters.teacherRun === undefined || isTaught ? 'NotItsTurn' : 'TeacherNotReady';
}
