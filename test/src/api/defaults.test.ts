import { experimentSchema, runSchema } from '@destillml/core/api/crd.ts';
import { withDefaults } from '@destillml/core/api/defaults.ts';
import { parseExperiment, parseRun } from '@destillml/core/api/validate.ts';
import { describe, expect, it } from 'vitest';
import { experimentWith, runWith, sweepWith } from './specs.ts';

/** Everything a sparse spec can leave to defaults. */
const sparse = experimentWith({
  dataset: { name: 'mnist', augmentation: { colorJitter: {}, resizedCrop: {} } },
  distillation: [
    { name: 'all', softTargets: {}, similarityPreserving: {}, attentionTransfer: {}, hints: {} },
  ],
  sweep: sweepWith({ algorithm: { asha: {} }, earlyStopping: { median: {} } }),
  scarcity: { student: { model: 'resnet8' }, fraction: 0.1 },
  explain: {},
  storage: { s3: { bucket: 'experiments', secretName: 'keys' } },
});

describe('an Experiment that says only what it compares', () => {
  it('is trained by the recipe of the study', () => {
    expect(parseExperiment(experimentWith()).spec).toEqual({
      dataset: {
        name: 'mnist',
        source: { packaged: {} },
        validation: 5000,
        fraction: 1,
        splitSeed: 42,
        augmentation: {},
      },
      teacher: { model: 'resnet20' },
      students: [{ name: 'small', model: 'resnet8' }],
      distillation: [],
      training: {
        epochs: 600,
        batchSize: 128,
        optimizer: { learningRate: 0.5, momentum: 0.9, weightDecay: 0.0005 },
        schedule: { warmupEpochs: 5 },
        labelSmoothing: 0.1,
      },
      seeds: [1],
      pod: { gpus: 1 },
      parallelism: 1,
      retries: 3,
      suspend: false,
    });
  });

  it('gives every technique the weight of its paper', () => {
    expect(parseExperiment(sparse).spec.distillation).toEqual([
      {
        name: 'all',
        softTargets: { temperature: 4, weight: 0.9 },
        similarityPreserving: { weight: 3000 },
        attentionTransfer: { weight: 1000 },
        hints: { stage: 2, weight: 100 },
      },
    ]);
  });
});

describe('defaults', () => {
  it('are the same from zod and from the schema the API server has', () => {
    expect(withDefaults(experimentSchema, sparse)).toEqual(parseExperiment(sparse));
    const untouched = { phase: 'Waiting', conditions: [] };
    expect(withDefaults(runSchema, runWith())).toEqual({ ...parseRun(runWith()), status: untouched });
  });

  it('take the place of null, as on the API server', () => {
    expect(parseExperiment(experimentWith({ training: null }))).toEqual(parseExperiment(experimentWith()));
  });
});
