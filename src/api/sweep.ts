import { z } from 'zod';

const scale = z.enum(['linear', 'log']).default('linear');

const parameter = z.strictObject({
  name: z.string().min(1).max(253).describe('Path of a number in the spec, such as training.optimizer.learningRate.'),
  double: z.strictObject({ min: z.number(), max: z.number(), scale }).optional(),
  integer: z.strictObject({ min: z.int(), max: z.int(), scale }).optional(),
  discrete: z.array(z.number()).min(1).max(64).optional(),
});

/** A search over numbers of the spec: one study per student and arm. */
export const sweep = z.strictObject({
  for: z.enum(['teacher', 'students', 'distilled']).default('distilled').describe('Which Runs are searched over.'),
  algorithm: z
    .strictObject({
      grid: z.strictObject({}).optional(),
      random: z.strictObject({}).optional(),
      tpe: z.strictObject({ startup: z.int().min(1).max(1000).default(10) }).optional(),
      asha: z
        .strictObject({ minEpochs: z.int().min(1).max(10_000).default(5), eta: z.int().min(2).max(10).default(3) })
        .optional(),
    })
    .describe('Exactly one field.'),
  earlyStopping: z
    .strictObject({
      median: z
        .strictObject({
          startEpoch: z.int().min(1).max(10_000).default(10),
          minRuns: z.int().min(1).max(1000).default(5),
        })
        .optional(),
    })
    .optional(),
  objective: z
    .strictObject({
      metric: z.enum(['validationAccuracy']).default('validationAccuracy'),
      goal: z.number().gt(0).max(1).optional().describe('The study ends when a Run reaches it.'),
    })
    .prefault({}),
  maxRuns: z.int().min(1).max(10_000).describe('Runs per study, at most.'),
  parameters: z.array(parameter).min(1).max(16),
});

export type Sweep = z.output<typeof sweep>;
