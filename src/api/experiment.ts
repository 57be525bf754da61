import { z } from 'zod';
import { dataset } from './dataset.ts';
import { objectiveTerms, someTechnique } from './distillation.ts';
import { explain } from './explain.ts';
import { conditions, objectMeta, type RunPhase, timestamp } from './meta.ts';
import { modelNames } from './models.ts';
import { labelName, seed, shortName, studyName } from './names.ts';
import { onnxTeacher } from './onnx-teacher.ts';
import { pod } from './pod.ts';
import { distinctList, exactlyOneOf, immutable, listByKey, withRules } from './rules.ts';
import { storage } from './storage.ts';
import { sweep } from './sweep.ts';
import { sweepableSwitches, sweptValues } from './sweepable.ts';
import { training } from './training.ts';

const model = z.enum(modelNames);
const anotherExperiment = 'cannot be changed once set: make another Experiment';

/** A technique, or a combination of techniques, that every student is trained with once per seed. */
export const arm = withRules(
  z.strictObject({
    name: shortName.describe('Name of the arm in Runs, tables and metrics.'),
    ...objectiveTerms,
  }),
  someTechnique,
  {
    rule: "!(self.name in ['best', 'baseline'])",
    message: 'any other name: best stands for the best arm in scarcity, baseline for no arm',
    fieldPath: '.name',
  },
);

const student = z.strictObject({
  name: shortName.describe('Name of the student in Runs, tables and metrics.'),
  model: model.describe('Network of the student.'),
});

const teacher = withRules(
  z.strictObject({
    model: model.optional().describe('Train this network as the teacher, once per Experiment.'),
    from: withRules(
      z.strictObject({
        experiment: labelName.optional().describe('Name of an Experiment whose teacher is used.'),
        run: labelName.optional().describe('Name of a Run whose network is used.'),
        onnx: onnxTeacher.optional().describe('A network in an ONNX file, such as PyTorch exports.'),
        namespace: labelName
          .optional()
          .describe(
            'Of the Experiment or Run. Without it the namespace of this Experiment. In another one, the sharedWith of the Experiment there has to name this one.',
          ),
      }),
      exactlyOneOf('experiment', 'run', 'onnx'),
      {
        rule: '!has(self.onnx) || !has(self.__namespace__)',
        message: 'none: a file is in no namespace',
        fieldPath: '.namespace',
      },
    )
      .optional()
      .describe('Use an existing network.'),
  }),
  exactlyOneOf('model', 'from'),
);

const students = withRules(
  listByKey(
    z
      .array(withRules(student, immutable('a student cannot be changed: add another under a new name')))
      .min(1)
      .max(16),
    'name',
  ),
  {
    rule: 'oldSelf.all(old, self.exists(new, new.name == old.name))',
    message: 'students may be added, not removed',
  },
);

const arms = withRules(
  listByKey(
    z
      .array(withRules(arm, immutable('an arm cannot be changed: add another under a new name')))
      .max(32)
      .default([]),
    'name',
  ),
  {
    rule: 'oldSelf.all(old, self.exists(new, new.name == old.name))',
    message: 'arms may be added, not removed',
  },
);

const seeds = withRules(distinctList(z.array(seed).min(1).max(32).default([1])), {
  rule: 'oldSelf.all(old, old in self)',
  message: 'seeds may be added, not removed',
});

const scarcity = withRules(
  z.strictObject({
    student: z
      .strictObject({ model: model.describe('Network of the student.') })
      .describe('The smallest student.'),
    fraction: z.number().gt(0).max(1).describe('Share of the training images, class-balanced.'),
    arm: shortName
      .default('best')
      .describe('Name of an arm; best takes the one with the best mean validation accuracy.'),
  }),
  immutable(anotherExperiment),
);

/** CEL has no power: eta^(b - 1), for b up to 5. */
function power(eta: string): string {
  return [4, 3, 2, 1].reduceRight(
    (smaller, exponent) => `(b > ${exponent} ? ${Array(exponent).fill(eta).join(' * ')} : ${smaller})`,
    '1',
  );
}

const sharee = z
  .string()
  .min(1)
  .max(63)
  .regex(/^(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$/, 'the name of a namespace, or * for all of them');

export const experimentSpec = withRules(
  z.strictObject({
    dataset: withRules(dataset, immutable(anotherExperiment)).describe(
      'Images, how they are split and augmented.',
    ),
    teacher: withRules(teacher, immutable(anotherExperiment)).describe(
      'The network that students learn from.',
    ),
    students: students.describe('Networks trained plainly and by every arm.'),
    distillation: arms.describe('Arms. A student is always trained without distillation, too.'),
    training: withRules(training.prefault({}), immutable(anotherExperiment)).describe(
      'The recipe of every network; the defaults are those of the original study.',
    ),
    seeds: seeds.describe('Every student is trained once per seed.'),
    sweep: sweep.optional().describe('A search over fields of the spec: one study per student and arm.'),
    scarcity: scarcity
      .optional()
      .describe('After the main stage: one technique with the smallest student and the least data.'),
    explain: explain
      .optional()
      .describe(
        'In the end: pictures of what the networks look at, and the report. One network of each technique, of the first seed that succeeded.',
      ),
    storage: storage.optional().describe('Where checkpoints and results are kept.'),
    pod: pod.prefault({}).describe('What the pods of the Runs ask for.'),
    queue: labelName
      .optional()
      .describe(
        'Kueue LocalQueue in the namespace of the Experiment. The label kueue.x-k8s.io/priority-class of the Experiment names a WorkloadPriorityClass.',
      ),
    sharedWith: distinctList(z.array(sharee).max(64))
      .optional()
      .describe(
        'Other namespaces whose Experiments may take a network of this one as teacher.from; * is all. To all others it does not exist.',
      ),
    parallelism: z.int().min(1).max(1000).default(1).describe('Runs that train at the same time, at most.'),
    retries: z
      .int()
      .min(0)
      .max(100)
      .default(3)
      .describe('Attempts after the first, for failures that a retry can mend.'),
    activeDeadlineSeconds: z.int().min(1).max(31_536_000).optional().describe('Time a Run may take.'),
    suspend: z
      .boolean()
      .default(false)
      .describe('true: running Runs checkpoint and stop until it is false again.'),
    ttlSecondsAfterFinished: z
      .int()
      .min(0)
      .max(315_360_000)
      .optional()
      .describe('Seconds after its end at which the Experiment is deleted; artifacts are kept.'),
  }),
  {
    rule: '!has(self.scarcity) || size(self.distillation) > 0',
    message: 'at least one arm, which scarcity takes up',
    fieldPath: '.distillation',
  },
  {
    rule: "!has(self.scarcity) || size(self.distillation) == 0 || self.scarcity.arm == 'best' || self.distillation.exists(arm, arm.name == self.scarcity.arm)",
    message: 'best, or the name of an arm in distillation',
    fieldPath: '.scarcity.arm',
  },
  {
    rule: '!has(self.scarcity) || self.scarcity.fraction <= self.dataset.fraction',
    message: 'at most dataset.fraction',
    fieldPath: '.scarcity.fraction',
  },
  {
    rule: "!has(self.sweep) || !(self.sweep.__for__ in ['distilled', 'comparison']) || size(self.distillation) > 0",
    message: 'at least one arm, which the sweep is for',
    fieldPath: '.distillation',
  },
  {
    rule: "!has(self.sweep) || self.sweep.__for__ != 'teacher' || has(self.teacher.model)",
    message: 'a model to train, which the sweep is for',
    fieldPath: '.teacher',
  },
  ...Object.keys(objectiveTerms).map((technique) => ({
    rule: `!has(self.sweep) || size(self.distillation) == 0 || !self.sweep.parameters.exists(p, p.name.startsWith('distillation.${technique}.')) || self.distillation.exists(arm, has(arm.${technique}))`,
    message: `no parameter under distillation.${technique}, or an arm with ${technique}`,
    fieldPath: '.sweep.parameters',
  })),
  {
    rule: '!has(self.sweep) || !has(self.sweep.algorithm.asha) || self.sweep.algorithm.asha.minEpochs <= self.training.epochs',
    message: 'at most training.epochs',
    fieldPath: '.sweep.algorithm.asha.minEpochs',
  },
  {
    rule: `!has(self.sweep) || !has(self.sweep.algorithm.asha) || [2, 3, 4, 5].all(b, b > self.sweep.algorithm.asha.brackets || self.sweep.algorithm.asha.minEpochs * ${power('self.sweep.algorithm.asha.eta')} <= self.training.epochs)`,
    message: 'fewer, so that the last bracket has minEpochs * eta^(brackets - 1) at most training.epochs',
    fieldPath: '.sweep.algorithm.asha.brackets',
  },
  ...sweepableSwitches.map((path) => ({
    rule: `!has(self.sweep) || self.sweep.parameters.all(p, p.name != '${path}' || has(self.${path}) || self.sweep.parameters.exists(q, q.name.startsWith('${path}.')))`,
    message: `no ${path}, or set it in the spec: that is what it is with`,
    fieldPath: '.sweep.parameters',
  })),
  {
    rule: "!has(self.sweep) || self.sweep.parameters.all(p, p.name != 'training.epochs' || self.sweep.parameters.exists(q, q.name == 'training.schedule.warmupEpochs') || (has(p.integer) && double(p.integer.min) >= self.training.schedule.warmupEpochs) || (has(p.discrete) && p.discrete.all(v, v >= self.training.schedule.warmupEpochs)))",
    message: 'for training.epochs at least training.schedule.warmupEpochs',
    fieldPath: '.sweep.parameters',
  },
  {
    rule: "!has(self.sweep) || self.sweep.parameters.all(q, q.name != 'training.schedule.warmupEpochs' || self.sweep.parameters.exists(p, p.name == 'training.epochs') || ((!has(q.double) || q.double.max <= double(self.training.epochs)) && (!has(q.integer) || q.integer.max <= self.training.epochs) && (!has(q.discrete) || q.discrete.all(v, v <= double(self.training.epochs)))))",
    message: 'for training.schedule.warmupEpochs at most training.epochs',
    fieldPath: '.sweep.parameters',
  },
  {
    rule: "!has(self.sweep) || !['training.epochs', 'training.schedule.warmupEpochs'].all(name, self.sweep.parameters.exists(p, p.name == name))",
    message:
      'either training.epochs or training.schedule.warmupEpochs, of which one may not exceed the other',
    fieldPath: '.sweep.parameters',
  },
  {
    rule: '!has(self.sweep) || !has(self.sweep.earlyStopping) || self.sweep.earlyStopping.median.startEpoch <= self.training.epochs',
    message: 'at most training.epochs',
    fieldPath: '.sweep.earlyStopping.median.startEpoch',
  },
  {
    rule: 'has(self.sweep) == has(oldSelf.sweep) && (!has(self.sweep) || !has(oldSelf.sweep) || (self.sweep.__for__ == oldSelf.sweep.__for__ && self.sweep.algorithm == oldSelf.sweep.algorithm && self.sweep.seed == oldSelf.sweep.seed && self.sweep.parameters == oldSelf.sweep.parameters && has(self.sweep.initial) == has(oldSelf.sweep.initial) && (!has(self.sweep.initial) || self.sweep.initial == oldSelf.sweep.initial)))',
    message:
      'for, algorithm, seed, parameters and initial of a sweep cannot be changed once set, nor a sweep added or removed: make another Experiment',
    fieldPath: '.sweep',
  },
);

const accuracy = z.strictObject({
  mean: z.number().min(0).max(1).describe('Mean over the seeds, 0–1.'),
  standardDeviation: z.number().min(0).max(1).optional().describe('Over the seeds, from two on.'),
});

const count = z.int().min(0).optional();

const runCounts = z.strictObject({
  Waiting: count.describe('For the teacher or for parallelism.'),
  Queued: count.describe('For GPUs.'),
  Starting: count.describe('Their pods are on the way.'),
  Running: count.describe('In training.'),
  Paused: count.describe('At a rung of a search, with its checkpoint; trained on if it is among the best.'),
  Succeeded: count.describe('With a result.'),
  Failed: count.describe('Without one.'),
  Stopped: count.describe('Stopped early or no longer wanted.'),
  Skipped: count.describe('Not started, because their teacher failed.'),
} satisfies Record<RunPhase, typeof count>);

const studyStatus = z.strictObject({
  name: studyName.describe(
    'teacher, STUDENT.baseline or STUDENT.ARM; its Runs have the label destillml.io/study.',
  ),
  state: z
    .enum(['Waiting', 'Searching', 'Ended', 'Failed'])
    .describe('Ended: the best configuration is known, and trained with every seed. Failed: there is none.'),
  reason: z.string().max(1024).describe('Why, in one CamelCase word.'),
  message: z.string().max(1024).describe('Why, in words.'),
  runs: runCounts.describe('Number of its Runs by phase.'),
  best: z
    .strictObject({
      run: labelName.describe('Its Run.'),
      number: z.int().min(1).describe('Number of the Run in the study.'),
      validationAccuracy: z
        .number()
        .min(0)
        .max(1)
        .describe('Best validation accuracy that was reported, 0–1.'),
      values: sweptValues.describe('What it sets, by path.'),
    })
    .optional()
    .describe('The configuration with the highest validation accuracy so far.'),
});

export const experimentStatus = z.strictObject({
  observedGeneration: z.int().min(0).optional().describe('Generation of the spec this status was made for.'),
  phase: z
    .enum(['Pending', 'Running', 'Suspended', 'Complete', 'Failed'])
    .optional()
    .describe('Where the Experiment is.'),
  conditions: conditions.default([]).describe('Complete, Failed, Suspended and what stands in the way.'),
  runs: runCounts.optional().describe('Number of Runs by phase.'),
  best: z
    .strictObject({
      arm: z.string().max(63).describe('Name of the arm.'),
      student: z.string().max(63).describe('Name of the student.'),
      testAccuracy: accuracy.describe('Its test accuracy.'),
    })
    .optional()
    .describe('The distilled student with the highest mean validation accuracy.'),
  studies: listByKey(z.array(studyStatus).max(528), 'name')
    .optional()
    .describe('Of the sweep: one per student and arm.'),
  teacherAccuracy: accuracy.optional().describe('Test accuracy of the teacher.'),
  baselineAccuracy: accuracy
    .optional()
    .describe('Test accuracy of the baseline of the same student as best.'),
  gpuSeconds: z.number().min(0).optional().describe('GPU time of all Runs.'),
  startTime: timestamp.optional().describe('When the first Run started.'),
  completionTime: timestamp.optional().describe('When the last Run ended.'),
});

export const experiment = z.strictObject({
  apiVersion: z.literal('destillml.io/v1alpha1'),
  kind: z.literal('Experiment'),
  metadata: objectMeta,
  spec: experimentSpec,
  status: experimentStatus.optional(),
});

export type Arm = z.output<typeof arm>;
export type Experiment = z.output<typeof experiment>;
export type ExperimentSpec = z.output<typeof experimentSpec>;
export type ExperimentStatus = z.output<typeof experimentStatus>;
