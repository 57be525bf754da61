import { z } from 'zod';
import { epochRecord, explanationResult, runProgress, runResult } from '../api/run.ts';
import { shownLines } from '../text/shown.ts';

/** Exit codes of the trainer (after sysexits.h) that decide whether another attempt can help. */
export const exitCodes = {
  succeeded: 0,
  /** An error that another attempt may mend. */
  failed: 1,
  /** The data are corrupt or missing: the same files will fail again. */
  dataset: 65,
  /** The machine or the image lacks something: it will lack it again. */
  environment: 69,
  /** The loss became NaN or infinite: the same steps will diverge again. */
  diverged: 70,
  /** The volume is full or read-only: until somebody mends that, nothing can be kept. */
  storage: 74,
  /** Told to stop by SIGTERM; a checkpoint was written and the next attempt goes on from it. */
  preempted: 75,
  /** The assignment is wrong. */
  invalid: 78,
} as const;

/** Exit codes after which no retry can help. */
export const finalExitCodes: readonly number[] = [
  exitCodes.dataset,
  exitCodes.environment,
  exitCodes.diverged,
  exitCodes.storage,
  exitCodes.invalid,
];

/** Whoever wrote it, people are shown it: in a status, an Event, a terminal. */
const message = z.string().max(2048).transform(shownLines);

/** The last word of a trainer: at most 4096 bytes of JSON in its termination message. */
export const termination = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('succeeded'), result: runResult }),
  z.strictObject({ outcome: z.literal('explained'), explanation: explanationResult }),
  z.strictObject({ outcome: z.literal('preempted'), epoch: z.int().min(0), step: z.int().min(0) }),
  z.strictObject({ outcome: z.literal('failed'), code: z.string().max(64), message }),
]);

/** What a trainer reports while it works. */
export const report = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('progress'), progress: runProgress }),
  z.strictObject({
    kind: z.literal('epoch'),
    record: epochRecord,
    progress: runProgress,
    earlier: z
      .array(epochRecord.pick({ epoch: true, validationAccuracy: true }))
      .max(128)
      .optional()
      .describe('Epochs before this one that may not have been reported, oldest first.'),
  }),
  z.strictObject({ kind: z.literal('note'), message }),
]);

export type Report = z.output<typeof report>;
export type Termination = z.output<typeof termination>;
