import { z } from 'zod';
import { experimentSpec } from '../api/experiment.ts';
import { runParameters, trial } from '../api/run.ts';

/**
 * What a trainer is told: one JSON document in the environment variable `DESTILL_ASSIGNMENT`.
 *
 * Paths are those the trainer sees: a mounted volume in a pod, folders of the machine under `destill run`.
 */
export const assignment = z.strictObject({
  name: z.string().min(1).max(63).describe('Name of the Run.'),
  namespace: z.string().min(1).max(63).default('default'),
  experiment: z.string().min(1).max(63),
  parameters: runParameters,
  untilEpoch: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Train this far and pause, with the learning rates of the whole training. Without it to the end.',
    ),
  trial: trial
    .optional()
    .describe(
      'For Runs of a search. What an earlier Run of its name has left is used only if it tried the same values.',
    ),
  artifacts: z
    .string()
    .min(1)
    .describe('Folder for checkpoints, history and result of this Run, beside those of the other Runs.'),
  teacherArtifacts: z.string().min(1).optional().describe('The same folder of the teacher, read-only.'),
  spec: experimentSpec.optional().describe('Spec of the Experiment, for the report of an explanation.'),
  data: z.string().min(1).describe('Folder where data sets are found or downloaded to.'),
  capture: z.boolean().default(true).describe('false runs every step eagerly, operation by operation.'),
});

export type Assignment = z.output<typeof assignment>;
