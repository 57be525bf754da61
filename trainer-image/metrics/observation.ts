import type { RunResult } from '@destillml/core/api/run.ts';
import type { Report } from '@destillml/core/protocol/report.ts';

/** What happened in training; times in seconds. */
export type Observation =
  | {
      readonly kind: 'step';
      readonly images: number;
      /** Images of the batch that were right. */
      readonly correct: number;
      /** Means over the batch. */
      readonly loss: number;
      readonly crossEntropy: number;
      readonly distillation: number;
      readonly learningRate: number;
      readonly seconds: number;
      /** How long the step waited for its images. */
      readonly waited: number;
      /** Held by TensorFlow.js after it. */
      readonly tensors: number;
      readonly tensorBytes: number;
    }
  | { readonly kind: 'evaluation'; readonly seconds: number }
  | { readonly kind: 'checkpoint'; readonly seconds: number }
  | { readonly kind: 'result'; readonly result: RunResult }
  | Report;
