import { parseExperiment, parseRun, validateUpdate } from '@destillml/core/api/validate.ts';
import { describe, expect, it } from 'vitest';
import { experimentWith, runWith, sweepWith } from './specs.ts';

const searched = [
  { name: 'training.labelSmoothing', double: { min: 0, max: 0.2 } },
  { name: 'training.batchSize', discrete: [64, 128] },
];

const spec = {
  distillation: [{ name: 'soft', softTargets: {} }],
  seeds: [1, 2],
  sweep: sweepWith({ parameters: searched }),
  scarcity: { student: { model: 'resnet8' }, fraction: 0.1 },
};

function changed(changes: Readonly<Record<string, unknown>>): string[] {
  const old = parseExperiment(experimentWith(spec));
  return validateUpdate(old, experimentWith({ ...spec, ...changes })).map(
    ({ field, message }) => `${field}: ${message}`,
  );
}

describe('an Experiment that exists', () => {
  it.each([
    ['nothing', {}],
    [
      'parallelism, retries, queue, lifetime',
      { parallelism: 8, retries: 0, queue: 'lab', ttlSecondsAfterFinished: 60 },
    ],
    ['suspension', { suspend: true }],
    ['another arm', { distillation: [{ name: 'hints', hints: {} }, ...spec.distillation] }],
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
      { sweep: sweepWith({ parameters: searched, maxRuns: 100, objective: { goal: 0.9 } }) },
    ],
    [
      'the parameters of the search in another order',
      { sweep: sweepWith({ parameters: searched.toReversed() }) },
    ],
    ['the end of scarcity', { scarcity: undefined }],
    ['a default spelt out', { training: { epochs: 600 } }],
  ])('takes %s', (_, changes) => expect(changed(changes)).toEqual([]));

  it.each([
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
      '(parameters was [{name: training.labelSmoothing, double: {min: 0, max: 0.2, scale: linear}}, {n…, now [{name: training.batchSize, discrete: [64, 128]}])',
    ],
    [
      'the end of the search',
      { sweep: undefined },
      'spec.sweep: missing; for, algorithm and parameters of a sweep cannot be changed once set, nor a sweep added or removed: make another Experiment',
    ],
    [
      'another fraction for scarcity',
      { scarcity: { student: { model: 'resnet8' }, fraction: 0.2 } },
      'spec.scarcity: {student: {model: resnet8}, fraction: 0.2} is not allowed; cannot be changed once set: make another Experiment (fraction was 0.1, now 0.2)',
    ],
  ])('refuses %s', (_, changes, expected) => {
    const messages = changed(changes);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toContain(expected);
  });

  it('is checked like a new one, too', () =>
    expect(changed({ parallelism: 0 })).toEqual([
      'spec.parallelism: 0 is not allowed; a whole number from 1 to 1000',
    ]));
});

describe('a Run that exists', () => {
  const old = parseRun(runWith());

  it('takes a start and a stop', () => {
    const next = {
      ...old,
      spec: { ...old.spec, suspend: false, stop: { reason: 'Median', message: 'behind' } },
    };
    expect(validateUpdate(old, next)).toEqual([]);
  });

  it('keeps its parameters and its Experiment', () => {
    const moved = { ...old, spec: { ...old.spec, experiment: 'other' } };
    expect(validateUpdate(old, moved).map(({ field }) => field)).toEqual(['spec.experiment']);
    expect(validateUpdate(old, runWith({ seed: 2 })).map(({ field }) => field)).toEqual(['spec.parameters']);
  });
});
