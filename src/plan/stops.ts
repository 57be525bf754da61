import type { Run } from '../api/run.ts';
import type { WantedRun } from './naming.ts';
import { isAtRung, isOpen } from './phases.ts';
import type { Stop } from './stop.ts';
import type { StudyState } from './study-state.ts';
import type { TeacherState } from './teacher.ts';

/**
 * Runs to end: those whose teacher failed, those that the spec no longer asks for, and those of a search that fell behind
 * or that is over. Ended Runs stay as they are.
 */
export function stops(
  { runs: wanted, studies }: { readonly runs: readonly WantedRun[]; readonly studies: readonly StudyState[] },
  runs: readonly Run[],
  teacher: TeacherState,
): readonly Stop[] {
  const names = new Set(wanted.map(({ name }) => name));
  const known = new Set(studies.map(({ study }) => study.name));
  const searched = new Map(studies.flatMap((study) => study.stops.map((stop) => [stop.name, stop])));
  // What rests at a rung is left there, unless its teacher will never be there.
  const resting =
    teacher.state === 'failed'
      ? studies.flatMap(({ parts }) => parts.flatMap((part) => part.runs.filter(isAtRung)))
      : [];
  return [...runs, ...resting].filter(isOpen).flatMap((run) => {
    const { name } = run.metadata;
    const fromStudy = searched.get(name);
    if (fromStudy !== undefined) return [fromStudy];
    const isTrial = run.spec.trial !== undefined && known.has(run.spec.trial.study);
    if (!isTrial && !names.has(name)) return [{ name, ...noLongerWanted }];
    const skipped = skipReason(run.spec.parameters.role, teacher);
    return skipped ? [{ name, ...skipped }] : [];
  });
}

/** Why a Run of this role cannot ever train, if so. */
export function skipReason(
  role: Run['spec']['parameters']['role'],
  teacher: TeacherState,
): Omit<Stop, 'name'> | undefined {
  if (role !== 'distilled' || teacher.state !== 'failed') return undefined;
  return { reason: teacher.reason, message: teacher.message };
}

const noLongerWanted = {
  reason: 'NoLongerWanted',
  message:
    'The Experiment no longer asks for this Run. Should it do so again, delete the Run to have it trained.',
};
