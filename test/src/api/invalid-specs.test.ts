import { parseExperiment, validateExperiment, validateRun } from '@destillml/core/api/validate.ts';
import { describe, expect, it } from 'vitest';
import { label, type RefusedSpec, refusedSpecs } from './refused-specs.ts';
import { experimentWith, runWith, sweepWith } from './specs.ts';

function messages(input: unknown): string[] {
  return validateExperiment(input).map(({ field, message }) => `${field}: ${message}`);
}

describe('an Experiment is refused, with the field, the value and what is allowed, for', () => {
  it.each(refusedSpecs)('%s', (_, spec, expected) =>
    expect(messages(experimentWith(spec))).toEqual(expected),
  );

  it('a sweep for arms where there are none', () =>
    expect(messages(experimentWith({ sweep: sweepWith() }))).toEqual([
      'spec.distillation: [] is not allowed; at least one arm, which the sweep is for',
    ]));

  it('a sweep with a configuration of something unknown', () => {
    const sweep = sweepWith({ initial: [{ 'training.optimizer.learnRate': 0.1 }] });
    const distillation = [{ name: 'soft', softTargets: {} }];
    expect(messages(experimentWith({ distillation, sweep }))).toEqual([
      'spec.sweep.initial[0][training.optimizer.learnRate]: unknown field; did you mean training.optimizer.learningRate?',
    ]);
  });

  it('a sweep for a teacher that is not trained', () =>
    expect(
      messages(experimentWith({ teacher: { from: { run: 'x' } }, sweep: sweepWith({ for: 'teacher' }) })),
    ).toEqual(['spec.teacher: {from: {run: x}} is not allowed; a model to train, which the sweep is for']));

  it('another kind of document', () => {
    expect(messages({ ...experimentWith(), apiVersion: 'v1', kind: 'Run' })).toEqual([
      'apiVersion: v1 is not allowed; destillml.io/v1alpha1',
      'kind: Run is not allowed; Experiment',
    ]);
    expect(messages('spec')).toEqual([
      'the document: spec is not allowed; an object with fields apiVersion, kind, metadata, spec, status',
    ]);
  });

  it('a name that Kubernetes does not take', () =>
    expect(messages({ ...experimentWith(), metadata: { name: 'my_study' } })).toEqual([
      `metadata.name: my_study is not allowed; ${label}`,
    ]));

  it('everything that is wrong, at once', () => {
    const input = experimentWith({ training: { epochs: -3 }, teacher: {}, seeds: [1, 1] });
    expect(() => parseExperiment(input)).toThrow(
      expect.objectContaining({
        code: 'InvalidSpec',
        message: [
          'spec.training.epochs: -3 is not allowed; a whole number from 1 to 10000',
          'spec.teacher: {} is not allowed; set exactly one of model, from',
          'spec.seeds[1]: 1 is not allowed; used already by spec.seeds[0]',
        ].join('\n'),
      }),
    );
  });
});

describe('a Run is refused, with the field, the value and what is allowed, for', () => {
  const cases: readonly RefusedSpec[] = [
    [
      'a distilled student without a teacher',
      { teacherRun: undefined },
      ['for role distilled arm, student, objective, and either teacherRun or teacherOnnx'],
    ],
    [
      'a distilled student with two teachers',
      { teacherOnnx: { file: { path: 'a.onnx' } } },
      ['for role distilled arm, student, objective, and either teacherRun or teacherOnnx'],
    ],
    ['a baseline with an objective', { role: 'baseline' }, ['for role baseline a student and no objective']],
    ['a teacher with an arm', { role: 'teacher' }, ['for role teacher no student, arm or objective']],
  ];
  it.each(cases)('%s', (_, parameters, expected) =>
    expect(
      validateRun(runWith(parameters)).map(({ field, message }) => [field, message.split('; ').at(-1)]),
    ).toEqual(expected.map((message) => ['spec.parameters', message])),
  );

  it('an objective without a technique', () =>
    expect(validateRun(runWith({ objective: {} }))).toEqual([
      {
        field: 'spec.parameters.objective',
        message:
          '{} is not allowed; set at least one of softTargets, similarityPreserving, attentionTransfer, hints',
      },
    ]));
});
