import { z } from 'zod';
import { dataset } from './dataset.ts';
import { distillationObjective } from './distillation.ts';
import { explain, mapNames, mostExplained } from './explain.ts';
import { conditions, objectMeta, runPhases, timestamp } from './meta.ts';
import { modelNames } from './models.ts';
import { labelName, seed, studyName } from './names.ts';
import { onnxTeacher } from './onnx-teacher.ts';
import { atomic, immutable, withRules } from './rules.ts';
import { sweptValues } from './sweepable.ts';
import { training } from './training.ts';

export const runRoles = ['teacher', 'baseline', 'distilled', 'explanation'] as const;

/**
 * search: the Runs of the sweep's studies. main: teacher, baselines and arms, with what was found. scarcity: the best
 * technique with the least data. explanation: what all these networks look at.
 */
export const runStages = ['search', 'main', 'scarcity', 'explanation'] as const;
export type RunStage = (typeof runStages)[number];

/**
 * What one network is and how it is trained, or which networks are explained. Never changes once the Run exists.
 *
 * An explanation has the network and the recipe of what it explains first: the teacher.
 */
export const runParameters = withRules(
  z.strictObject({
    role: z
      .enum(runRoles)
      .describe('teacher, undistilled baseline, distilled student, or explanation of what these look at.'),
    stage: z.enum(runStages).default('main').describe('Stage of the Experiment the Run belongs to.'),
    arm: labelName.optional().describe('Name of the arm, for distilled students.'),
    student: labelName.optional().describe('Name of the student, for baselines and distilled students.'),
    model: z
      .enum(modelNames)
      .describe('Network that is trained; of an explanation the first that is explained.'),
    seed: seed.describe('Seed of initial weights, order and augmentation; of the images that are explained.'),
    dataset: dataset.describe('Images, how they are split and augmented.'),
    training: training.describe('The recipe.'),
    teacherRun: labelName.optional().describe('Run whose network is the teacher of this one.'),
    teacherNamespace: labelName.optional().describe('Namespace of teacherRun, if it is another.'),
    teacherOnnx: onnxTeacher.optional().describe('ONNX file that is the teacher of this one.'),
    objective: distillationObjective
      .optional()
      .describe('Terms beside the cross-entropy, for distilled students.'),
    explanation: z
      .strictObject({
        ...explain.shape,
        networks: z
          .array(labelName)
          .max(mostExplained)
          .describe('Runs of the Experiment whose networks are explained, after the teacher.'),
      })
      .optional()
      .describe('What is explained, for explanations.'),
  }),
  {
    rule: "self.role != 'distilled' || (has(self.arm) && has(self.student) && has(self.teacherRun) != has(self.teacherOnnx) && has(self.objective))",
    message: 'for role distilled arm, student, objective, and either teacherRun or teacherOnnx',
  },
  {
    rule: "self.role != 'baseline' || (has(self.student) && !has(self.objective))",
    message: 'for role baseline a student and no objective',
  },
  {
    rule: "self.role != 'teacher' || (!has(self.student) && !has(self.arm) && !has(self.objective))",
    message: 'for role teacher no student, arm or objective',
  },
  {
    rule: "(self.role == 'explanation') == has(self.explanation)",
    message: 'explanation for the role explanation, and for no other',
  },
);

/** What a Run of a search tries. */
export const trial = z.strictObject({
  study: studyName.describe('Study of the Experiment: teacher, STUDENT.baseline or STUDENT.ARM.'),
  number: z.int().min(1).max(1_000_000).describe('Number in the study, which its name is made of.'),
  values: sweptValues.describe(
    'What it sets, by path in the spec of the Experiment; part of its parameters.',
  ),
  summary: z.string().max(1024).describe('The same in short, such as learningRate=0.1, temperature=4.'),
});

export const runSpec = withRules(
  z.strictObject({
    experiment: withRules(labelName, immutable('cannot be changed once set')).describe(
      'Name of the Experiment that the Run belongs to.',
    ),
    parameters: withRules(
      atomic(runParameters),
      immutable('cannot be changed once set: another Run is made for others'),
    ).describe('What one network is and how it is trained.'),
    suspend: z.boolean().default(true).describe('false once the plan lets the Run start.'),
    stop: z
      .strictObject({
        reason: z.string().max(1024).describe('Why, in one CamelCase word.'),
        message: z.string().max(32_768).describe('Why, in words.'),
      })
      .optional()
      .describe('Set once the Run is no longer wanted: it ends as Stopped, or Skipped if it never started.'),
    trial: atomic(trial).optional().describe('For Runs of a search: what this one tries.'),
    untilEpoch: z
      .int()
      .min(1)
      .max(10_000)
      .optional()
      .describe(
        'It is trained this far and then Paused, with the learning rates of a whole training; raised to have it trained on. Without it to its end.',
      ),
  }),
  {
    rule: 'has(self.trial) == has(oldSelf.trial) && (!has(self.trial) || self.trial == oldSelf.trial)',
    message: 'cannot be changed, added or removed: another Run is made for other values',
    fieldPath: '.trial',
  },
  {
    rule: '!has(self.untilEpoch) || self.untilEpoch <= self.parameters.training.epochs',
    message: 'at most parameters.training.epochs',
    fieldPath: '.untilEpoch',
  },
  {
    rule: '!has(self.untilEpoch) || (has(oldSelf.untilEpoch) && self.untilEpoch >= oldSelf.untilEpoch)',
    message: 'may be raised or removed, never lowered',
    fieldPath: '.untilEpoch',
  },
);

const share = z.number().min(0).max(1);
const notNegative = z.number().min(0);

/**
 * Accuracies and losses of one epoch; accuracies are shares in 0–1. What has divergences in it may be rounded to less
 * than zero.
 */
export const epochRecord = z.strictObject({
  epoch: z.int().min(1),
  loss: z.number().describe('Mean training objective over the epoch.'),
  crossEntropy: notNegative,
  distillation: z.number().optional().describe('Sum of the weighted distillation terms.'),
  trainAccuracy: share,
  validationLoss: notNegative,
  validationAccuracy: share,
  learningRate: notNegative,
  imagesPerSecond: notNegative,
  seconds: notNegative,
});

export const runProgress = withRules(
  z.strictObject({
    epoch: z.int().min(0).describe('Epochs completed.'),
    epochs: z.int().min(1).describe('Epochs in all.'),
    step: z.int().min(0).describe('Steps of the current epoch completed.'),
    steps: z.int().min(1).describe('Steps per epoch.'),
    loss: z.number().optional().describe('Training objective of the last epoch.'),
    trainAccuracy: share.optional().describe('Accuracy on the training images, 0–1.'),
    validationAccuracy: share.optional().describe('Accuracy on the validation images, 0–1.'),
    bestValidationAccuracy: share.optional().describe('Highest of them so far.'),
    learningRate: notNegative.optional().describe('Learning rate of the last step.'),
    imagesPerSecond: notNegative.optional().describe('Training throughput.'),
    etaSeconds: notNegative.optional().describe('Time to the end, by the pace so far.'),
    updatedAt: timestamp
      .regex(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/,
        'a moment in RFC 3339, such as 2026-11-24T13:00:00Z',
      )
      .describe('When this was reported.'),
  }),
  { rule: 'self.epoch <= self.epochs', message: 'at most epochs', fieldPath: '.epoch' },
  { rule: 'self.step <= self.steps', message: 'at most steps', fieldPath: '.step' },
);

export const runResult = withRules(
  z.strictObject({
    bestEpoch: z.int().min(1).describe('Epoch with the highest validation accuracy.'),
    validationAccuracy: share.describe('Validation accuracy of that epoch.'),
    testAccuracy: share.describe('Top-1 on the test split, read once, best-validation weights.'),
    testAccuracyTop5: share.describe('Top-5 on the test split.'),
    testLoss: notNegative.describe('Cross-entropy on the test split.'),
    parameters: z.int().min(1).describe('Trainable numbers of the network.'),
    flops: z.int().min(1).describe('Floating-point operations of one inference, 2 per multiply-accumulate.'),
    epochs: z.int().min(1).describe('Epochs trained.'),
    trainingSeconds: z
      .number()
      .min(0)
      .describe('Time spent in training steps and validation, over all attempts.'),
    imagesPerSecond: z.number().min(0).describe('Mean training throughput.'),
    artifacts: z.string().max(4096).describe('Folder or URI of checkpoints, history and result.'),
  }),
  { rule: 'self.bestEpoch <= self.epochs', message: 'at most epochs', fieldPath: '.bestEpoch' },
);

const byNetwork = (value: z.ZodNumber) => z.array(value).max(mostExplained);

/** What an explanation came to, as far as it is known in the cluster. The files have it for every image. */
export const explanationResult = z.strictObject({
  images: z.int().min(1).describe('Images that were explained.'),
  seconds: z.number().min(0).describe('Time it took.'),
  maps: z
    .array(
      z.strictObject({
        map: z.enum(mapNames).describe('What made the maps.'),
        agreement: byNetwork(z.number().min(-1).max(1)).describe(
          'Rank correlation with the maps of the first network, −1 – 1.',
        ),
        topOverlap: byNetwork(share).describe(
          'Share of the top 20 % of the pixels that are in the top 20 % of the first network.',
        ),
        insertion: byNetwork(share).describe(
          'Mean probability as the image is put together in the order of the map.',
        ),
        deletion: byNetwork(share).describe('Mean probability as the image is taken apart in that order.'),
        sane: z
          .boolean()
          .optional()
          .describe('Whether the first network with random weights has other maps, as it should.'),
      }),
    )
    .max(mapNames.length)
    .describe(
      'Means over the images, one number for each network: the teacher, if there is one, then explanation.networks.',
    ),
  artifacts: z.string().max(2048).describe('Folder or URI of figures, maps and the report.'),
});

/** What is remembered of a pod, so that its time is counted once even after it is gone. */
export const runPod = z.strictObject({
  uid: z.string().min(1).max(64).describe('Its UID.'),
  name: z.string().max(253).describe('Name of the pod.'),
  node: z.string().max(253).optional().describe('Node it was bound to.'),
  startTime: timestamp.optional().describe('When the trainer started in it.'),
  endTime: timestamp.optional().describe('When the trainer ended; absent if nobody saw it.'),
  gpuSeconds: z.int().min(0).describe('GPU time of this pod.'),
  outcome: z
    .enum(['Succeeded', 'Failed', 'Preempted', 'Stopped'])
    .optional()
    .describe('How it ended. Preempted: gave way to others, or lost its node. Stopped: was told to.'),
});

export const runStatus = z.strictObject({
  observedGeneration: z.int().min(0).optional().describe('Generation of the spec this status was made for.'),
  phase: z.enum(runPhases).default('Waiting').describe('Where the Run is.'),
  reason: z.string().max(1024).optional().describe('Why it is in this phase, in one CamelCase word.'),
  message: z.string().max(32_768).optional().describe('Why, in words, and what to do.'),
  conditions: conditions.default([]).describe('Complete, Failed and what stands in the way.'),
  progress: atomic(runProgress).optional().describe('Last report of the trainer.'),
  history: z.array(share).max(128).optional().describe('Validation accuracy over the epochs, thinned out.'),
  rungs: z
    .array(
      z.strictObject({
        epoch: z.int().min(1).max(10_000).describe('Epoch at which it was paused.'),
        validationAccuracy: share.describe('Best validation accuracy up to then, 0–1.'),
      }),
    )
    .max(16)
    .optional()
    .describe('Where it was paused so far, in order.'),
  result: atomic(runResult).optional().describe('What the training came to.'),
  explanation: atomic(explanationResult).optional().describe('What the explanation came to.'),
  attempts: z.int().min(0).optional().describe('Times it was started.'),
  failures: z
    .int()
    .min(0)
    .optional()
    .describe('Attempts that failed; as many as spec.retries of the Experiment are followed by another.'),
  preemptions: z.int().min(0).optional().describe('Times it gave way to others.'),
  gpuSeconds: z.number().min(0).optional().describe('GPU time of all attempts.'),
  pods: z
    .array(runPod)
    .max(1000)
    .optional()
    .describe('Its pods, oldest first; old ones that are gone live on in the sums only.'),
  startTime: timestamp.optional().describe('When it first started.'),
  completionTime: timestamp.optional().describe('When it ended.'),
});

export const run = z.strictObject({
  apiVersion: z.literal('destillml.io/v1alpha1'),
  kind: z.literal('Run'),
  metadata: objectMeta,
  spec: runSpec,
  status: runStatus.optional(),
});

export type ExplanationResult = z.output<typeof explanationResult>;
export type EpochRecord = z.output<typeof epochRecord>;
export type Run = z.output<typeof run>;
export type RunParameters = z.output<typeof runParameters>;
export type RunPod = z.output<typeof runPod>;
export type RunProgress = z.output<typeof runProgress>;
export type RunResult = z.output<typeof runResult>;
export type RunStatus = z.output<typeof runStatus>;
