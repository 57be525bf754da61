import { z } from 'zod';
import { spread } from './row.ts';

const share = z.number().min(0).max(1);

/** How alike two networks' maps of the same images are. */
const agreement = z.object({
  spearman: spread.describe('Rank correlation, −1 – 1.'),
  topOverlap: spread.describe('Share of the top 20 % of one that are in the top 20 % of the other.'),
  sameClass: share.describe('Share of the images for which both explain the same class.'),
});

const quality = z.object({
  insertion: spread.optional(),
  deletion: spread.optional(),
  randomInsertion: spread.optional(),
  randomDeletion: spread.optional(),
});

/** Files of an explanation, in its folder. */
export const explanationFiles = {
  document: 'explanations.json',
  report: 'report.html',
  /** @param index of the image */
  figure: (index: number) => `figures/${String(index).padStart(3, '0')}.png`,
} as const;

/** How alike maps of the first network are to those of the same network with random weights: not very, they should be. */
const sanity = z.object({ spearman: spread, passes: z.boolean() });

/** What a report reads of `explanations.json`. */
export const explanations = z.object({
  classes: z.array(z.string()),
  images: z.array(z.object({ name: z.string(), label: z.int().min(0).optional() })),
  seconds: z.number().min(0).default(0).describe('Time that it took; 0 where nobody measured it.'),
  sanity: z.record(z.string(), sanity).default({}).describe('By method; empty where it was not checked.'),
  networks: z.array(
    z.object({
      name: z.string(),
      quality: z.record(z.string(), quality).describe('By method.'),
      agreement: z.record(z.string(), agreement).describe('With the first network, by method.'),
      explanations: z
        .array(z.object({ prediction: z.int().min(0), confidence: share, target: z.int().min(0) }))
        .describe('In the order of the images.'),
    }),
  ),
});

export type Explanations = z.output<typeof explanations>;
export type ExplainedNetwork = Explanations['networks'][number];
