import { z } from 'zod';

/** The recipe every network of an Experiment is trained with; defaults are those of the original study. */
export const training = z.strictObject({
  epochs: z.int().min(1).max(10_000).default(600),
  batchSize: z.int().min(1).max(8192).default(128),
  optimizer: z
    .strictObject({
      learningRate: z.number().gt(0).max(10).default(0.5).describe('Peak learning rate, reached after warm-up.'),
      momentum: z.number().min(0).lt(1).default(0.9),
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
    .strictObject({ warmupEpochs: z.number().min(0).max(1000).default(5) })
    .prefault({})
    .describe('Linear warm-up, then cosine to zero at the last step.'),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0.1)
    .describe('For teachers and baselines. Distilled students use 0.'),
});

export type Training = z.output<typeof training>;
