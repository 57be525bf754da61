import { z } from 'zod';
import { modelNames } from '../api/models.ts';
import { runRoles, runStages } from '../api/run.ts';

/** Mean and deviation, as they stand in files. */
export const spread = z.strictObject({
  mean: z.number(),
  standardDeviation: z.number().min(0).optional().describe('Of the sample; of two values or more.'),
});

const pValue = z.number().min(0).max(1);

/** What an arm gains over the baseline of its student, on the seeds that both have. In shares, 0.01 is a point. */
export const gain = z.strictObject({
  ...spread.shape,
  seeds: z
    .array(z.int())
    .default([])
    .describe('Seeds with which both succeeded: only these are compared. Older files do not say which.'),
  confidence: z
    .strictObject({ low: z.number(), high: z.number() })
    .optional()
    .describe(
      '95 % confidence interval of the mean (Student’s t); from two seeds on that are not all alike.',
    ),
  pValue: pValue.optional().describe('Of the paired t-test, two-sided.'),
  pAdjusted: pValue
    .optional()
    .describe('The same, corrected by Holm over the arms of the student in this stage.'),
  wilcoxonPValue: pValue
    .optional()
    .describe('Of Wilcoxon’s signed-rank test, two-sided, exact; from six seeds on.'),
  wilcoxonPAdjusted: pValue.optional().describe('The same, corrected by Holm.'),
});

export type Gain = z.output<typeof gain>;

/** One network trained in one way: its Runs over all seeds. Accuracies are shares in 0–1. */
export const summaryRow = z.strictObject({
  stage: z.enum(runStages),
  role: z.enum(runRoles),
  technique: z.string().describe('teacher, baseline or the name of the arm.'),
  student: z.string().optional(),
  network: z.enum(modelNames),
  fraction: z.number().gt(0).max(1).describe('Share of the training images that was used.'),
  runs: z
    .strictObject({ wanted: z.int().min(0), succeeded: z.int().min(0), failed: z.int().min(0) })
    .describe('Number of seeds. failed: ended without success.'),
  parameters: z.int().min(1).optional(),
  flops: z.int().min(1).optional().describe('Floating-point operations of one inference.'),
  testAccuracy: spread.optional(),
  validationAccuracy: spread.optional(),
  gain: gain
    .optional()
    .describe('Test accuracy minus that of the baseline, seed by seed; absent where no seed has both.'),
  gapClosed: z
    .number()
    .optional()
    .describe('gain / (teacher − baseline); absent where the teacher is not better than the baseline.'),
  accuracyRetained: z.number().min(0).optional().describe('Test accuracy divided by that of the teacher.'),
  trainingSeconds: z.number().min(0).optional().describe('Mean over the seeds.'),
  imagesPerSecond: z.number().min(0).optional().describe('Mean over the seeds.'),
});

export type SummaryRow = z.output<typeof summaryRow>;
