import { z } from 'zod';
import { notAllowed, type Path } from '../api/problem.ts';
import { RuleChecker } from '../api/rule-check.ts';
import { epochRecord, explanationResult, runProgress, runResult } from '../api/run.ts';
import { structural } from '../api/structural.ts';
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
  z.strictObject({ outcome: z.literal('succeeded'), result: checked(runResult) }),
  z.strictObject({ outcome: z.literal('explained'), explanation: explanationResult }),
  z.strictObject({
    outcome: z.literal('paused'),
    epoch: z.int().min(1).max(10_000).describe('The last that it was to train.'),
    validationAccuracy: z.number().min(0).max(1).describe('Best validation accuracy so far.'),
  }),
  z.strictObject({ outcome: z.literal('preempted'), epoch: z.int().min(0), step: z.int().min(0) }),
  z.strictObject({ outcome: z.literal('failed'), code: z.string().max(64), message }),
]);

const progress = checked(runProgress);

/** What a trainer reports while it works. */
export const report = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('progress'), progress }),
  z
    .strictObject({
      kind: z.literal('epoch'),
      record: epochRecord,
      progress,
      earlier: z
        .array(epochRecord.pick({ epoch: true, validationAccuracy: true }))
        .max(128)
        .optional()
        .describe('Epochs before this one that may not have been reported, oldest first.'),
    })
    .superRefine(({ record, progress: { epochs }, earlier = [] }, { addIssue }) => {
      const refuse = (path: Path, message: string) => addIssue({ code: 'custom', path: [...path], message });
      if (record.epoch > epochs) {
        refuse(['record', 'epoch'], notAllowed(record.epoch, `at most progress.epochs, ${epochs}`));
      }
      for (const [index, { epoch }] of earlier.entries()) {
        if (epoch < record.epoch) continue;
        refuse(['earlier', index, 'epoch'], notAllowed(epoch, `before record.epoch, ${record.epoch}`));
      }
    }),
  z.strictObject({ kind: z.literal('note'), message }),
]);

export type Report = z.output<typeof report>;
export type Termination = z.output<typeof termination>;

/** The schema, which also refuses what its rules do: the API server checks them only as a status is written. */
function checked<S extends z.ZodType>(schema: S): S {
  const checker = new RuleChecker(structural(schema, ''));
  return schema.superRefine((value, { addIssue }) => {
    for (const { field, message } of checker.check({ value, given: value, old: undefined, broken: [] })) {
      addIssue({ code: 'custom', path: field.split('.'), message });
    }
  });
}
