import { z } from 'zod';
import { atLeastOneOf, withRules } from './rules.ts';

const weight = (initial: number) =>
  z.number().gt(0).max(1_000_000).default(initial).describe('Weight of the term beside the cross-entropy.');

/** The terms of a distillation objective; any combination of them, at least one. */
export const objectiveTerms = {
  softTargets: z
    .strictObject({
      temperature: z
        .number()
        .min(1)
        .max(100)
        .default(4)
        .describe(
          'T: both networks’ logits are divided by it. Keep it low with a teacher trained under label smoothing (arXiv 2206.14532).',
        ),
      weight: z.number().gt(0).max(1).default(0.9).describe('w in (1 − w)·CE + w·T²·KL.'),
    })
    .optional()
    .describe('Soft targets (Hinton, Vinyals and Dean 2015).'),
  similarityPreserving: z
    .strictObject({ weight: weight(3000) })
    .optional()
    .describe('Similarity-preserving distillation on the last stage (Tung and Mori 2019).'),
  attentionTransfer: z
    .strictObject({ weight: weight(1000) })
    .optional()
    .describe('Attention transfer on every stage (Zagoruyko and Komodakis 2017).'),
  hints: z
    .strictObject({
      stage: z.int().min(1).max(8).default(2).describe('Stage whose features are compared, counted from 1.'),
      weight: weight(100),
    })
    .optional()
    .describe('FitNets hints through a learned regressor (Romero et al. 2015).'),
};

/** At least one term is set. */
export const someTechnique = atLeastOneOf(...Object.keys(objectiveTerms));

export const distillationObjective = withRules(z.strictObject(objectiveTerms), someTechnique);

export type DistillationObjective = z.output<typeof distillationObjective>;
