import { dataset } from '../../src/api/dataset.ts';
import type { Run, RunParameters, RunResult, RunStatus } from '../../src/api/run.ts';
import { training } from '../../src/api/training.ts';

export const now = new Date('2026-03-01T12:00:00Z');
export const nowText = '2026-03-01T12:00:00Z';

export function parametersOf(parameters: Partial<RunParameters> = {}): RunParameters {
  return {
    role: 'teacher',
    stage: 'main',
    model: 'resnet8',
    seed: 1,
    dataset: dataset.parse({ name: 'mnist' }),
    training: training.parse({ epochs: 4, schedule: { warmupEpochs: 1 } }),
    ...parameters,
  };
}

export const result: RunResult = {
  bestEpoch: 3,
  validationAccuracy: 0.874,
  testAccuracy: 0.869,
  testAccuracyTop5: 0.99,
  testLoss: 0.41,
  parameters: 78_042,
  flops: 25_000_000,
  epochs: 4,
  trainingSeconds: 72,
  imagesPerSecond: 431.4,
  artifacts: '/runs/x',
};

export const progress = {
  epoch: 2,
  epochs: 12,
  step: 5,
  steps: 10,
  loss: 0.4321,
  trainAccuracy: 0.8,
  validationAccuracy: 0.871,
  bestValidationAccuracy: 0.874,
  learningRate: 0.05,
  imagesPerSecond: 1234.4,
  etaSeconds: 72,
  updatedAt: nowText,
};

export function runOf(
  status: Partial<RunStatus> = {},
  spec: Partial<Run['spec']> = {},
  name = 'study-teacher-s1-0123456789',
): Run {
  return {
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Run',
    metadata: { name },
    spec: { experiment: 'study', parameters: parametersOf(), suspend: false, ...spec },
    status: { phase: 'Waiting', conditions: [], ...status },
  };
}
