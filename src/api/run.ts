import { z } from 'zod';
import { dataset } from './dataset.ts';
import { distillationObjective } from './distillation.ts';
import { condition, objectMeta, runPhases } from './meta.ts';
import { modelNames } from './models.ts';
import { training } from './training.ts';

export const runRoles = ['teacher', 'baseline', 'distilled'] as const;
export type RunRole = (typeof runRoles)[number];

/** main: teacher, baselines and arms. scarcity: the best technique with the least data. */
export const runStages = ['main', 'scarcity'] as const;
export type RunStage = (typeof runStages)[number];

/** What one network is and how it is trained. Never changes once the Run exists. */
export const runParameters = z.strictObject({
  role: z.enum(runRoles),
  stage: z.enum(runStages).default('main'),
  arm: z.string().max(63).optional(),
  student: z.string().max(63).optional(),
  model: z.enum(modelNames),
  seed: z.int().min(0).max(2_147_483_647).describe('Seed of initial weights, order and augmentation.'),
  dataset,
  training,
  teacherRun: z.string().max(253).optional().describe('Run whose network is the teacher of this one.'),
  teacherNamespace: z.string().max(63).optional(),
  objective: distillationObjective.optional().describe('Terms beside the cross-entropy, for distilled students.'),
});

export const runSpec = z.strictObject({
  experiment: z.string().min(1).max(63),
  parameters: runParameters,
  suspend: z.boolean().default(true).describe('false once the plan lets the Run start.'),
  stop: z
    .strictObject({ reason: z.string().max(1024), message: z.string().max(32_768) })
    .optional()
    .describe('Set once the Run is no longer wanted: it ends as Stopped, or Skipped if it never started.'),
});

/** Accuracies and losses of one epoch; accuracies are shares in 0–1. */
export const epochRecord = z.strictObject({
  epoch: z.int().min(1),
  loss: z.number().describe('Mean training objective over the epoch.'),
  crossEntropy: z.number(),
  distillation: z.number().optional().describe('Sum of the weighted distillation terms.'),
  trainAccuracy: z.number().min(0).max(1),
  validationLoss: z.number(),
  validationAccuracy: z.number().min(0).max(1),
  learningRate: z.number(),
  imagesPerSecond: z.number(),
  seconds: z.number(),
});

export const runProgress = z.strictObject({
  epoch: z.int().min(0).describe('Epochs completed.'),
  epochs: z.int().min(1),
  step: z.int().min(0).describe('Steps of the current epoch completed.'),
  steps: z.int().min(1).describe('Steps per epoch.'),
  loss: z.number().optional(),
  trainAccuracy: z.number().optional(),
  validationAccuracy: z.number().optional(),
  bestValidationAccuracy: z.number().optional(),
  learningRate: z.number().optional(),
  imagesPerSecond: z.number().optional(),
  etaSeconds: z.number().optional(),
  updatedAt: z.string(),
});

export const runResult = z.strictObject({
  bestEpoch: z.int().min(1),
  validationAccuracy: z.number().min(0).max(1),
  testAccuracy: z.number().min(0).max(1).describe('Top-1 on the test split, read once, best-validation weights.'),
  testAccuracyTop5: z.number().min(0).max(1),
  testLoss: z.number(),
  parameters: z.int().min(1),
  flops: z.int().min(1).describe('Floating-point operations of one inference, 2 per multiply-accumulate.'),
  epochs: z.int().min(1),
  trainingSeconds: z.number().min(0).describe('Time spent in training steps and validation, over all attempts.'),
  imagesPerSecond: z.number().min(0).describe('Mean training throughput.'),
  artifacts: z.string().describe('Folder or URI of checkpoints, history and result.'),
});

export const runStatus = z.strictObject({
  observedGeneration: z.int().optional(),
  phase: z.enum(runPhases).default('Waiting'),
  reason: z.string().max(1024).optional(),
  message: z.string().max(32_768).optional(),
  conditions: z.array(condition).max(16).default([]),
  progress: runProgress.optional(),
  history: z.array(z.number()).max(128).optional().describe('Validation accuracy over the epochs, thinned out.'),
  result: runResult.optional(),
  attempts: z.int().min(0).optional(),
  preemptions: z.int().min(0).optional(),
  gpuSeconds: z.number().min(0).optional(),
  startTime: z.string().optional(),
  completionTime: z.string().optional(),
});

export const run = z.strictObject({
  apiVersion: z.literal('destillml.io/v1alpha1'),
  kind: z.literal('Run'),
  metadata: objectMeta,
  spec: runSpec,
  status: runStatus.optional(),
});

export type EpochRecord = z.output<typeof epochRecord>;
export type Run = z.output<typeof run>;
export type RunParameters = z.output<typeof runParameters>;
export type RunProgress = z.output<typeof runProgress>;
export type RunResult = z.output<typeof runResult>;
export type RunSpec = z.output<typeof runSpec>;
export type RunStatus = z.output<typeof runStatus>;
