import { z } from 'zod';
import { dataset } from './dataset.ts';
import { objectiveTerms } from './distillation.ts';
import { modelNames } from './models.ts';
import { shortName } from './names.ts';
import { pod } from './pod.ts';
import { condition, objectMeta, runPhases } from './meta.ts';
import { storage } from './storage.ts';
import { sweep } from './sweep.ts';
import { training } from './training.ts';

const model = z.enum(modelNames);
const seed = z.int().min(0).max(2_147_483_647);

/** A technique, or a combination of techniques, that every student is trained with once per seed. */
export const arm = z.strictObject({ name: shortName, ...objectiveTerms });

export const student = z.strictObject({ name: shortName, model });

export const teacher = z.strictObject({
  model: model.optional().describe('Train this network as the teacher, once per Experiment.'),
  from: z
    .strictObject({
      experiment: z.string().min(1).max(253).optional().describe('Name of an Experiment whose teacher is used.'),
      run: z.string().min(1).max(253).optional().describe('Name of a Run whose network is used.'),
      namespace: z.string().min(1).max(63).optional().describe('Default: the namespace of this Experiment.'),
    })
    .optional()
    .describe('Use an existing network; exactly one of experiment and run.'),
});

export const experimentSpec = z.strictObject({
  dataset,
  teacher: teacher.describe('Exactly one of model and from.'),
  students: z.array(student).min(1).max(16).describe('Networks trained plainly and by every arm.'),
  distillation: z.array(arm).max(32).default([]).describe('Arms. A student is always trained without distillation, too.'),
  training: training.prefault({}),
  seeds: z.array(seed).min(1).max(32).default([1]).describe('Every student is trained once per seed.'),
  sweep: sweep.optional(),
  scarcity: z
    .strictObject({
      student: z.strictObject({ model }).describe('The smallest student.'),
      fraction: z.number().gt(0).max(1).describe('Share of the training images, class-balanced.'),
      arm: z.union([z.literal('best'), shortName]).default('best').describe('Name of an arm, or best.'),
    })
    .optional()
    .describe('After the main stage: one technique with the smallest student and the least data.'),
  explain: z
    .strictObject({
      methods: z.array(z.enum(['gradCam', 'lime', 'shap'])).min(1).max(3).default(['gradCam', 'lime', 'shap']),
      images: z.int().min(1).max(256).default(16),
    })
    .optional(),
  storage: storage.optional().describe('Where checkpoints and results are kept.'),
  pod: pod.prefault({}),
  queue: z.string().min(1).max(63).optional().describe('Kueue LocalQueue in the namespace of the Experiment.'),
  parallelism: z.int().min(1).max(1000).default(1).describe('Runs that train at the same time, at most.'),
  retries: z.int().min(0).max(100).default(3).describe('Attempts after the first, for failures that a retry can mend.'),
  activeDeadlineSeconds: z.int().min(1).max(31_536_000).optional().describe('Time a Run may take.'),
  suspend: z.boolean().default(false).describe('true: running Runs checkpoint and stop until it is false again.'),
  ttlSecondsAfterFinished: z
    .int()
    .min(0)
    .max(315_360_000)
    .optional()
    .describe('Seconds after its end at which the Experiment is deleted; artifacts are kept.'),
});

const accuracy = z.strictObject({
  mean: z.number().min(0).max(1),
  standardDeviation: z.number().min(0).max(1).optional(),
});

export const experimentStatus = z.strictObject({
  observedGeneration: z.int().optional(),
  phase: z.enum(['Pending', 'Running', 'Suspended', 'Complete', 'Failed']).optional(),
  conditions: z.array(condition).max(16).default([]),
  runs: z.partialRecord(z.enum(runPhases), z.int().min(0)).optional().describe('Number of Runs by phase.'),
  best: z
    .strictObject({ arm: z.string(), student: z.string(), testAccuracy: accuracy })
    .optional()
    .describe('The distilled student with the highest mean validation accuracy.'),
  teacherAccuracy: accuracy.optional(),
  baselineAccuracy: accuracy.optional().describe('Baseline of the same student as best.'),
  gpuSeconds: z.number().min(0).optional(),
  startTime: z.string().optional(),
  completionTime: z.string().optional(),
});

export const experiment = z.strictObject({
  apiVersion: z.literal('destillml.io/v1alpha1'),
  kind: z.literal('Experiment'),
  metadata: objectMeta,
  spec: experimentSpec,
  status: experimentStatus.optional(),
});

export type Arm = z.output<typeof arm>;
export type Student = z.output<typeof student>;
export type Teacher = z.output<typeof teacher>;
export type Experiment = z.output<typeof experiment>;
export type ExperimentSpec = z.output<typeof experimentSpec>;
export type ExperimentStatus = z.output<typeof experimentStatus>;
