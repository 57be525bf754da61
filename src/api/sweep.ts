import { z } from 'zod';
import { seed } from './names.ts';
import { exactlyOneOf, listByKey, type Rule, withRules } from './rules.ts';
import { divides, gridAtMostMaxRuns, initialWithin, switchOnly, valuesWithin } from './sweep-rules.ts';
import { sweepableNumbers, sweepablePaths, sweepableSwitches, sweptValues } from './sweepable.ts';

const scale = z
  .enum(['linear', 'log'])
  .default('linear')
  .describe('Whether values or their logarithms are spread evenly.');

const betweenEnds: readonly Rule[] = [
  { rule: 'self.min < self.max', message: 'above min', fieldPath: '.max' },
  {
    rule: "!has(self.step) || self.scale == 'linear'",
    message: 'none with scale log',
    fieldPath: '.step',
  },
];

const parameter = withRules(
  z.strictObject({
    name: z
      .enum(sweepablePaths)
      .describe(
        'Path of a field in the spec, such as training.optimizer.learningRate. Under distillation the arm is left out: distillation.softTargets.temperature varies every arm with soft targets.',
      ),
    double: withRules(
      z.strictObject({
        min: z.number().describe('Smallest value.'),
        max: z.number().describe('Largest value.'),
        scale,
        step: z.number().gt(0).max(1_000_000).optional().describe('Only min and whole steps from it.'),
      }),
      ...betweenEnds,
      { rule: "self.scale != 'log' || self.min > 0.0", message: 'above 0 with scale log', fieldPath: '.min' },
      divides('double'),
    )
      .optional()
      .describe('Any number between two, rounded to 4 digits.'),
    integer: withRules(
      z.strictObject({
        min: z.int().min(-1_000_000).max(1_000_000).describe('Smallest value.'),
        max: z.int().min(-1_000_000).max(1_000_000).describe('Largest value.'),
        scale,
        step: z.int().min(1).max(1_000_000).optional().describe('Only min and whole steps from it.'),
      }),
      ...betweenEnds,
      { rule: "self.scale != 'log' || self.min > 0", message: 'above 0 with scale log', fieldPath: '.min' },
      divides('integer'),
    )
      .optional()
      .describe('Any whole number between two.'),
    discrete: withRules(z.array(z.number()).min(1).max(64), {
      rule: 'self.all(value, self.exists_one(other, other == value))',
      message: 'every value once',
    })
      .optional()
      .describe('One of these numbers.'),
    boolean: z
      .strictObject({})
      .optional()
      .describe('With and without it: of an augmentation, whose settings are those in the spec.'),
  }),
  exactlyOneOf('double', 'integer', 'discrete', 'boolean'),
  ...sweepableNumbers.map(valuesWithin),
  ...sweepableSwitches.map(switchOnly),
);

const algorithm = withRules(
  z.strictObject({
    grid: z.strictObject({}).optional().describe('Every combination, in order. Doubles need a step.'),
    random: z.strictObject({}).optional().describe('Independent draws.'),
    sobol: z
      .strictObject({})
      .optional()
      .describe('A scrambled Sobol sequence (Owen 1998): draws that leave no corner out.'),
    tpe: z
      .strictObject({
        startup: z.int().min(1).max(1000).default(10).describe('Random draws before the estimator is used.'),
      })
      .optional()
      .describe('Tree-structured Parzen estimator (Bergstra et al. 2011), multivariate.'),
    asha: z
      .strictObject({
        minEpochs: z.int().min(1).max(10_000).default(5).describe('Epochs before the first decision.'),
        eta: z.int().min(2).max(10).default(3).describe('One in eta Runs is trained eta times longer.'),
        brackets: z
          .int()
          .min(1)
          .max(5)
          .default(1)
          .describe(
            'Hyperband (Li et al. 2018): in each further bracket Runs are first compared eta times later.',
          ),
        sampler: z
          .enum(['tpe', 'random', 'sobol', 'grid'])
          .default('tpe')
          .describe('How values are chosen. tpe: at random until 10 Runs have reached a rung.'),
      })
      .optional()
      .describe(
        'Asynchronous successive halving (Li et al. 2020): Runs are paused, and the best trained on.',
      ),
  }),
  exactlyOneOf('grid', 'random', 'sobol', 'tpe', 'asha'),
);

/** A search over fields of the spec: one study per student and arm. */
export const sweep = withRules(
  z.strictObject({
    for: z
      .enum(['teacher', 'students', 'distilled', 'comparison'])
      .default('distilled')
      .describe(
        'Which Runs are searched over: the teacher, the baselines, the arms, or, for a comparison of tuned with tuned, baselines and arms alike.',
      ),
    algorithm: algorithm.describe('How values are chosen.'),
    seed: seed.default(1).describe('Of the draws. Runs of the search are trained with the first of seeds.'),
    earlyStopping: z
      .strictObject({
        median: z
          .strictObject({
            startEpoch: z.int().min(1).max(10_000).default(10).describe('No Run is stopped before it.'),
            minRuns: z.int().min(1).max(1000).default(5).describe('Finished Runs it takes to compare with.'),
          })
          .describe('Stops a Run whose best validation accuracy is below the median of the others’.'),
      })
      .optional()
      .describe('Ends Runs that fall behind.'),
    objective: z
      .strictObject({
        metric: z
          .enum(['validationAccuracy'])
          .default('validationAccuracy')
          .describe('What is maximised. The test split is never searched on.'),
        goal: z.number().gt(0).max(1).optional().describe('The study ends when a Run reaches it.'),
      })
      .prefault({})
      .describe('What the search looks for.'),
    maxRuns: z.int().min(1).max(10_000).describe('Runs per study, at most.'),
    maxFailedRuns: z
      .int()
      .min(1)
      .max(10_000)
      .optional()
      .describe('A study ends, and is not confirmed, when as many of its Runs have failed.'),
    maxGpuHours: z
      .number()
      .gt(0)
      .max(10_000_000)
      .optional()
      .describe('The search ends when its Runs have taken as many; what confirms it comes on top.'),
    parameters: listByKey(z.array(parameter).min(1).max(16), 'name').describe(
      'Fields that are varied, each with its values.',
    ),
    initial: z
      .array(sweptValues)
      .max(32)
      .optional()
      .describe('Configurations to try first, by path. What one leaves out is drawn.'),
  }),
  {
    rule: "!has(self.algorithm.grid) && !(has(self.algorithm.asha) && self.algorithm.asha.sampler == 'grid') || self.parameters.all(p, !has(p.double) || has(p.double.step))",
    message: 'doubles with a step only, with a grid',
    fieldPath: '.parameters',
  },
  gridAtMostMaxRuns,
  {
    rule: "!(has(self.algorithm.asha) || has(self.earlyStopping)) || self.parameters.all(p, p.name != 'training.epochs')",
    message: 'no training.epochs with asha or earlyStopping, which compare Runs epoch by epoch',
    fieldPath: '.parameters',
  },
  {
    rule: "self.__for__ in ['distilled', 'comparison'] || self.parameters.all(p, !p.name.startsWith('distillation.'))",
    message: 'distilled or comparison, as long as a parameter is under distillation',
    fieldPath: '.for',
  },
  {
    rule: "self.__for__ != 'distilled' || self.parameters.all(p, p.name != 'training.labelSmoothing')",
    message: 'no training.labelSmoothing for distilled students, which train without',
    fieldPath: '.parameters',
  },
  {
    rule: '!has(self.algorithm.tpe) || self.algorithm.tpe.startup <= self.maxRuns',
    message: 'at most sweep.maxRuns',
    fieldPath: '.algorithm.tpe.startup',
  },
  {
    rule: '!has(self.earlyStopping) || self.earlyStopping.median.minRuns <= self.maxRuns',
    message: 'at most sweep.maxRuns',
    fieldPath: '.earlyStopping.median.minRuns',
  },
  {
    rule: '!has(self.initial) || size(self.initial) <= self.maxRuns',
    message: 'at most sweep.maxRuns configurations',
    fieldPath: '.initial',
  },
  ...sweepablePaths.map(initialWithin),
);

export type Sweep = z.output<typeof sweep>;
