import { sweepWith } from './specs.ts';

type Changes = Readonly<Record<string, unknown>>;

const searched = [
  { name: 'training.optimizer.weightDecay', double: { min: 0, max: 0.2 } },
  { name: 'training.batchSize', discrete: [64, 128] },
];

/** Fields of an Experiment that exists. */
export const existingSpec = {
  distillation: [{ name: 'soft', softTargets: {} }],
  seeds: [1, 2],
  sweep: sweepWith({ parameters: searched }),
  scarcity: { student: { model: 'resnet8' }, fraction: 0.1 },
};

/** What it takes, and the fields of its spec that are others. */
export const takenChanges: readonly (readonly [string, Changes])[] = [
  ['nothing', {}],
  [
    'parallelism, retries, queue, lifetime',
    { parallelism: 8, retries: 0, queue: 'lab', ttlSecondsAfterFinished: 60 },
  ],
  ['suspension', { suspend: true }],
  ['another arm', { distillation: [{ name: 'hints', hints: {} }, ...existingSpec.distillation] }],
  [
    'another student',
    {
      students: [
        { name: 'small', model: 'resnet8' },
        { name: 'wide', model: 'wrn-16-1' },
      ],
    },
  ],
  ['another seed', { seeds: [3, 1, 2] }],
  [
    'more Runs for the search',
    {
      sweep: sweepWith({
        parameters: searched,
        maxRuns: 100,
        maxFailedRuns: 9,
        maxGpuHours: 2.5,
        objective: { goal: 0.9 },
      }),
    },
  ],
  [
    'the parameters of the search in another order',
    { sweep: sweepWith({ parameters: searched.toReversed() }) },
  ],
  ['the end of scarcity', { scarcity: undefined }],
  ['a default spelt out', { training: { epochs: 600 } }],
];

/** What it refuses, the fields of its spec that are others, and what is said of them. */
export const refusedChanges: readonly (readonly [string, Changes, string])[] = [
  [
    'another fraction of the data',
    { dataset: { name: 'mnist', fraction: 0.5 } },
    'spec.dataset: {name: mnist, fraction: 0.5} is not allowed; cannot be changed once set: make another Experiment (fraction was 1, now 0.5)',
  ],
  [
    'another teacher',
    { teacher: { model: 'resnet56' } },
    'spec.teacher: {model: resnet56} is not allowed; cannot be changed once set: make another Experiment (model was resnet20, now resnet56)',
  ],
  [
    'another recipe',
    { training: { optimizer: { learningRate: 0.1 } } },
    'spec.training: {optimizer: {learningRate: 0.1}} is not allowed; cannot be changed once set: make another Experiment (optimizer.learningRate was 0.5, now 0.1)',
  ],
  [
    'another network for a student',
    { students: [{ name: 'small', model: 'resnet14' }] },
    'spec.students[0]: {name: small, model: resnet14} is not allowed; a student cannot be changed: add another under a new name (model was resnet8, now resnet14)',
  ],
  [
    'one student less',
    { students: [{ name: 'other', model: 'resnet14' }] },
    'spec.students: [{name: other, model: resnet14}] is not allowed; students may be added, not removed (it was [{name: small, model: resnet8}], now [{name: other, model: resnet14}])',
  ],
  [
    'another temperature in an arm',
    { distillation: [{ name: 'soft', softTargets: { temperature: 2 } }] },
    'spec.distillation[0]: {name: soft, softTargets: {temperature: 2}} is not allowed; an arm cannot be changed: add another under a new name (softTargets.temperature was 4, now 2)',
  ],
  [
    'one arm less',
    { distillation: [{ name: 'hints', hints: {} }] },
    'spec.distillation: [{name: hints, hints: {}}] is not allowed; arms may be added, not removed (it was [{name: soft, softTargets: {temperature: 4, weight: 0.9}}], now [{name: hints, hints: {stage: 2, weight: 100}}])',
  ],
  [
    'one seed less',
    { seeds: [1] },
    'spec.seeds: [1] is not allowed; seeds may be added, not removed (it was [1, 2], now [1])',
  ],
  [
    'another search space',
    { sweep: sweepWith({ parameters: searched.slice(1) }) },
    '(parameters was [{name: training.optimizer.weightDecay, double: {min: 0, max: 0.2, scale: linea…, now [{name: training.batchSize, discrete: [64, 128]}])',
  ],
  [
    'another seed of the search',
    { sweep: sweepWith({ parameters: searched, seed: 7 }) },
    '(seed was 1, now 7)',
  ],
  [
    'other configurations to begin with',
    { sweep: sweepWith({ parameters: searched, initial: [{ 'training.batchSize': 64 }] }) },
    '(initial was not set, now [{training.batchSize: 64}])',
  ],
  [
    'the end of the search',
    { sweep: undefined },
    'spec.sweep: missing; for, algorithm, seed, parameters and initial of a sweep cannot be changed once set, nor a sweep added or removed: make another Experiment',
  ],
  [
    'another fraction for scarcity',
    { scarcity: { student: { model: 'resnet8' }, fraction: 0.2 } },
    'spec.scarcity: {student: {model: resnet8}, fraction: 0.2} is not allowed; cannot be changed once set: make another Experiment (fraction was 0.1, now 0.2)',
  ],
];
