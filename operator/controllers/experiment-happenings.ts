import type { ExperimentStatus } from '@destillml/core/api/experiment.ts';
import type { Happening } from '../runtime/events.ts';
import type { Experiment } from './kinds.ts';
import { conditionOf } from './run-happenings.ts';

/** What an Event is to say of an Experiment that went from the status it has to this one. */
export function experimentHappenings(experiment: Experiment, status: ExperimentStatus): readonly Happening[] {
  const before = experiment.status;
  /** The condition, if it has just come to this. */
  const news = (type: string, to: 'True' | 'False') => {
    const condition = conditionOf(status, type);
    const known = conditionOf(before, type);
    const same = known?.status === condition?.status && known?.reason === condition?.reason;
    return condition?.status === to && !same ? [condition] : [];
  };
  const of =
    (type: Happening['type'], action: string) => (condition: { reason: string; message: string }) => ({
      regarding: experiment,
      type,
      action,
      reason: condition.reason,
      note: condition.message,
    });
  const ended = status.phase === 'Complete' || status.phase === 'Failed';
  const resumed = conditionOf(before, 'Suspended')?.status === 'True' && !experiment.spec.suspend;
  return [
    ...news('Suspended', 'True').map(of('Normal', 'Suspend')),
    ...(resumed
      ? [of('Normal', 'Resume')({ reason: 'Resumed', message: 'spec.suspend is false: Runs go on.' })]
      : []),
    ...news('TeacherReady', 'True').map(of('Normal', 'Distill')),
    ...news('ScarcityReady', 'True').map(of('Normal', 'Distill')),
    ...news('PrerequisitesMet', 'False').map(of('Warning', 'Wait')),
    ...(ended || status.phase === 'Suspended' || conditionOf(status, 'PrerequisitesMet')?.status === 'False'
      ? []
      : news('Progressing', 'False').map(of('Warning', 'Wait'))),
    ...news('Complete', 'True').map(of('Normal', 'Finish')),
    ...news('Failed', 'True').map(of('Warning', 'Finish')),
  ];
}
