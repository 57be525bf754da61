import type { Run } from '../api/run.ts';
import type { WantedRun } from './naming.ts';
import { isOpen } from './phases.ts';
import type { TeacherState } from './teacher.ts';

export type Stop = { readonly name: string; readonly reason: string; readonly message: string };

/** Runs to end: those whose teacher failed, and those the spec no longer asks for. Ended Runs stay as they are. */
export function stops(
  wanted: readonly WantedRun[],
  runs: readonly Run[],
  teacher: TeacherState,
): readonly Stop[] {
  const names = new Set(wanted.map(({ name }) => name));
  return runs.filter(isOpen).flatMap((run) => {
    const { name } = run.metadata;
    if (!names.has(name)) return [{ name, ...noLongerWanted }];
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
