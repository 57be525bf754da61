import { z } from 'zod';
import { withRules } from './rules.ts';

/** The recipe every network of an Experiment is trained with; defaults are those of the original study. */
export const training = withRules(
  z.strictObject({
    epochs: z.int().min(1).max(10_000).default(600).describe('Passes over the training images.'),
    batchSize: z.int().min(1).max(8192).default(128).describe('Images per step.'),
    optimizer: z
      .strictObject({
        learningRate: z
          .number()
          .gt(0)
          .max(10)
          .default(0.5)
          .describe('Peak learning rate, reached after warm-up.'),
        momentum: z.number().min(0).lt(1).default(0.9).describe('Share of the last update that is kept.'),
        weightDecay: z
          .number()
          .min(0)
          .max(1)
          .default(5e-4)
          .describe('Added to the gradient; never for batch-norm scales and shifts nor biases.'),
      })
      .prefault({})
      .describe('SGD with momentum.'),
    schedule: z
      .strictObject({
        warmupEpochs: z
          .number()
          .min(0)
          .max(1000)
          .default(5)
          .describe('Epochs in which the learning rate rises linearly to its peak.'),
      })
      .prefault({})
      .describe('Linear warm-up, then cosine to zero at the last step.'),
    labelSmoothing: z
      .number()
      .min(0)
      .lt(1)
      .default(0.1)
      .describe('For teachers and baselines. Distilled students use 0.'),
  }),
  {
    rule: 'self.schedule.warmupEpochs <= double(self.epochs)',
    message: 'at most training.epochs (the default is 5: set less for a shorter training)',
    fieldPath: '.schedule.warmupEpochs',
  },
);
