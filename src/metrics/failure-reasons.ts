import type { ErrorCode } from '../errors.ts';

const trainerErrors: Readonly<Record<ErrorCode, true>> = {
  InvalidSpec: true,
  DatasetCorrupt: true,
  DatasetUnavailable: true,
  TrainingDiverged: true,
  StorageUnavailable: true,
  StorageFull: true,
  StorageReadOnly: true,
  OutOfMemory: true,
  CheckpointUnusable: true,
  TeacherMissing: true,
  Environment: true,
};

/** Values of the label reason of failures; Other stands for what pods of other images, Kueue or the kubelet call theirs. */
export const failureReasons: readonly string[] = [
  ...Object.keys(trainerErrors),
  'DeadlineExceeded',
  'StartError',
  'ContainerLost',
  'Evicted',
  'TrainerFailed',
  'PodFailed',
  'JobFailed',
  'ResultLost',
  'UnreadableTerminationMessage',
  'Other',
];

export function failureReason(reason: string): string {
  return failureReasons.includes(reason) ? reason : 'Other';
}
