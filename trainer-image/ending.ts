/** How a trainer that failed ends: what it says last, and its exit code. */
import { DestillError, type ErrorCode } from '@destillml/core/errors.ts';
import { exitCodes, type Termination } from '@destillml/core/protocol/report.ts';
import { cut } from '@destillml/core/text/cut.ts';
import { shownLines } from '@destillml/core/text/shown.ts';
import { diskError } from './storage/disk.ts';

/** Longest termination message Kubernetes keeps, in bytes. */
export const terminationBytes = 4096;

/** Exit code of an error a user can mend; every other error may go away by itself. */
const codes: Partial<Record<ErrorCode, number>> = {
  InvalidSpec: exitCodes.invalid,
  DatasetCorrupt: exitCodes.dataset,
  TrainingDiverged: exitCodes.diverged,
  CheckpointUnusable: exitCodes.invalid,
  StorageFull: exitCodes.storage,
  StorageReadOnly: exitCodes.storage,
  Environment: exitCodes.environment,
};

/** Those that a trainer which is told to stop may end with because it cannot keep its last checkpoint. */
const notKept: readonly ErrorCode[] = ['StorageUnavailable', 'StorageFull', 'StorageReadOnly'];

export interface Ending {
  readonly last: Termination;
  readonly code: number;
  /** What is wrong, in words for its user; undefined where this program may be wrong, or nothing is. */
  readonly mendable: DestillError | undefined;
}

/** @param isStopping whether it was told to stop before */
export function endingOf(error: unknown, isStopping: boolean): Ending {
  if (isStopping && error instanceof Error && error.name === 'AbortError') {
    const last = { outcome: 'preempted', epoch: 0, step: 0 } as const;
    return { last, code: exitCodes.preempted, mendable: undefined };
  }
  const mendable = error instanceof DestillError ? error : (diskError(error) ?? outOfMemory(error));
  if (mendable === undefined) {
    const last = { outcome: 'failed', code: 'Unexpected', message: shortened(String(error)) } as const;
    return { last, code: exitCodes.failed, mendable };
  }
  const last = { outcome: 'failed', code: mendable.code, message: shortened(mendable.message) } as const;
  // Stopped without its checkpoint: the pod has not failed, and should not say that it wrote one.
  const isStopped = isStopping && notKept.includes(mendable.code);
  const code = isStopped ? exitCodes.preempted : (codes[mendable.code] ?? exitCodes.failed);
  return { last, code, mendable };
}

/** The words of TensorFlow, V8, the system and oneDNN (its status 1) for memory that was not to be had. */
const noMemory =
  /OOM when allocating|RESOURCE_EXHAUSTED|ResourceExhausted|bad_alloc|cannot allocate memory|Array buffer allocation failed|out of memory|exception:Status: 1,/i;

function outOfMemory(error: unknown): DestillError | undefined {
  if (!(error instanceof Error) || !noMemory.test(error.message)) return undefined;
  return new DestillError(
    'OutOfMemory',
    `There is not enough memory: ${error.message}. Give the trainer more, or take a smaller training.batchSize.`,
    { cause: error },
  );
}

/** At most 2048 characters that take at most half of a termination message, escaped and as bytes. */
function shortened(message: string): string {
  let kept = cut(shownLines(message), 2048);
  while (Buffer.byteLength(JSON.stringify(kept)) > terminationBytes / 2)
    kept = cut(kept, [...kept].length - 16);
  return kept;
}
