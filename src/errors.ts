/**
 * An error a user can mend. It is shown as its message, without a stack trace.
 *
 * The message says what happened, where (field, file, offset, object) and what to do.
 */
export class DestillError extends Error {
  /** Stable, machine-readable kind, such as `InvalidSpec`. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = code;
    this.code = code;
  }
}

export type ErrorCode =
  /** A field of an Experiment, Run or assignment is wrong. */
  | 'InvalidSpec'
  /** A data file is missing, truncated or not what it says. */
  | 'DatasetCorrupt'
  /** A data set cannot be found or downloaded. */
  | 'DatasetUnavailable'
  /** The loss became NaN or infinite. */
  | 'TrainingDiverged'
  /** The store of the artifacts cannot be reached, read or written. */
  | 'StorageUnavailable'
  /** The volume or store that is written to has no room left. */
  | 'StorageFull'
  /** What is to be written to may only be read. */
  | 'StorageReadOnly'
  /** The system gives this process no more memory. */
  | 'OutOfMemory'
  /** A checkpoint cannot be read or belongs to another network. */
  | 'CheckpointUnusable'
  /** The teacher's network is not there. */
  | 'TeacherMissing'
  /** The machine or the image lacks something: TensorFlow, open files, threads. */
  | 'Environment';
