import { z } from 'zod';
import { rangeText } from './allowed.ts';
import { exactlyOneOf, listByKey, type Rule, withRules } from './rules.ts';
import { type SweepableNumber, sweepableNumbers } from './sweepable.ts';

const scale = z
  .enum(['linear', 'log'])
  .default('linear')
  .describe('Whether values or their logarithms are spread evenly.');

const minimumBelowMaximum: Rule = { rule: 'self.min < self.max', message: 'above min', fieldPath: '.max' };

const parameter = withRules(
  z.strictObject({
    name: z
      .enum(sweepableNumbers.map(({ path }) => path))
      .describe(
        'Path of a number in the spec, such as training.optimizer.learningRate. Under distillation the arm is left out: distillation.softTargets.temperature varies every arm with soft targets.',
      ),
    double: withRules(
      z.strictObject({
        min: z.number().describe('Smallest value.'),
        max: z.number().describe('Largest value.'),
        scale,
      }),
      minimumBelowMaximum,
      { rule: "self.scale != 'log' || self.min > 0.0", message: 'above 0 with scale log', fieldPath: '.min' },
    )
      .optional()
      .describe('Any number between two.'),
    integer: withRules(
      z.strictObject({
        min: z.int().describe('Smallest value.'),
        max: z.int().describe('Largest value.'),
        scale,
      }),
      minimumBelowMaximum,
      { rule: "self.scale != 'log' || self.min > 0", message: 'above 0 with scale log', fieldPath: '.min' },
    )
      .optional()
      .describe('Any whole number between two.'),
    discrete: withRules(z.array(z.number()).min(1).max(64), {
      rule: 'self.all(value, self.exists_one(other, other == value))',
      message: 'every value once',
    })
      .optional()
      .describe('One of these numbers.'),
  }),
  exactlyOneOf('double', 'integer', 'discrete'),
  ...sweepableNumbers.map(withinLimits),
);

const algorithm = withRules(
  z.strictObject({
    grid: z.strictObject({}).optional().describe('Every combination of discrete and integer parameters.'),
    random: z.strictObject({}).optional().describe('Independent draws.'),
    tpe: z
      .strictObject({
        startup: z.int().min(1).max(1000).default(10).describe('Random draws before the estimator is used.'),
      })
      .optional()
      .describe('Tree-structured Parzen estimator (Bergstra et al. 2011).'),
    asha: z
      .strictObject({
        minEpochs: z.int().min(1).max(10_000).default(5).describe('Epochs before the first decision.'),
        eta: z.int().min(2).max(10).default(3).describe('One in eta Runs is trained eta times longer.'),
      })
      .optional()
      .describe('Asynchronous successive halving (Li et al. 2020).'),
  }),
  exactlyOneOf('grid', 'random', 'tpe', 'asha'),
);

/** A search over numbers of the spec: one study per student and arm. */
export const sweep = withRules(
  z.strictObject({
    for: z
      .enum(['teacher', 'students', 'distilled'])
      .default('distilled')
      .describe('Which Runs are searched over: the teacher, the baselines, or the arms.'),
    algorithm: algorithm.describe('How values are chosen.'),
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
    parameters: listByKey(z.array(parameter).min(1).max(16), 'name').describe(
      'Numbers that are varied, each with its values.',
    ),
  }),
  {
    rule: '!has(self.algorithm.grid) || self.parameters.all(p, !has(p.double))',
    message: 'integer or discrete parameters only, with a grid',
    fieldPath: '.parameters',
  },
  {
    rule: "!(has(self.algorithm.asha) || has(self.earlyStopping)) || self.parameters.all(p, p.name != 'training.epochs')",
    message: 'no training.epochs with asha or earlyStopping, which compare Runs epoch by epoch',
    fieldPath: '.parameters',
  },
  {
    rule: "self.__for__ == 'distilled' || self.parameters.all(p, !p.name.startsWith('distillation.'))",
    message: 'distilled, as long as a parameter is under distillation',
    fieldPath: '.for',
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
);

/** A parameter's values lie within the limits of the field it varies. */
function withinLimits(number: SweepableNumber): Rule {
  const lower = (value: string) =>
    `${value} ${number.exclusiveMinimum ? '>' : '>='} ${double(number.minimum)}`;
  const upper = (value: string) =>
    `${value} ${number.exclusiveMaximum ? '<' : '<='} ${double(number.maximum)}`;
  const whole = number.integer ? ' && v == double(int(v))' : '';
  return {
    rule: [
      `self.name != '${number.path}'`,
      `((!has(self.double) || ${number.integer ? 'false' : `${lower('self.double.min')} && ${upper('self.double.max')}`})`,
      `(!has(self.integer) || ${lower('double(self.integer.min)')} && ${upper('double(self.integer.max)')})`,
      `(!has(self.discrete) || self.discrete.all(v, ${lower('v')} && ${upper('v')}${whole})))`,
    ].reduce((left, right, index) => `${left} ${index === 1 ? '||' : '&&'} ${right}`),
    message: `for ${number.path} ${rangeText(number)}`,
  };
}

/** A number as a CEL literal of type double. */
function double(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
