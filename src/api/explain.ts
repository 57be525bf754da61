/** Ways to explain a prediction, what they are called, and what an Experiment asks of them. */
import { z } from 'zod';
import { distinctList } from './rules.ts';

/** As a spec and the command line name them. */
export const explanationMethods = ['gradCam', 'lime', 'shap'] as const;
export type ExplanationMethod = (typeof explanationMethods)[number];

/** What makes a map; `shap` in a spec stands for the last two. */
export const mapNames = ['gradCam', 'lime', 'expectedGradients', 'kernelShap'] as const;
export type MapName = (typeof mapNames)[number];

/** What people read in figures, tables and reports. */
export const mapTitles: Readonly<Record<MapName, string>> = {
  gradCam: 'Grad-CAM',
  lime: 'LIME',
  expectedGradients: 'Expected gradients',
  kernelShap: 'Kernel SHAP',
};

/** Networks that one Run explains at most, the teacher's among them: its last word, of 4096 bytes, has numbers of each. */
export const mostExplained = 20;

/** What is explained in which ways. */
export const explain = z.strictObject({
  methods: distinctList(
    z
      .array(z.enum(explanationMethods))
      .min(1)
      .max(explanationMethods.length)
      .default([...explanationMethods]),
  ).describe('Ways to explain a prediction.'),
  images: z.int().min(1).max(256).default(16).describe('Test images that every network explains.'),
});
