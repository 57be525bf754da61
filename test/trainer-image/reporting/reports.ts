import type { PushedReport } from '@destillml/trainer/reporting/post.ts';

const progress = {
  epoch: 0,
  epochs: 500,
  step: 0,
  steps: 5_000,
  updatedAt: '2026-11-24T12:00:00.000Z',
};

export function progressReport(step: number): PushedReport {
  return { kind: 'progress', progress: { ...progress, step } };
}

export function epoch(number: number): Extract<PushedReport, { kind: 'epoch' }> {
  return {
    kind: 'epoch',
    record: {
      epoch: number,
      loss: 1,
      crossEntropy: 1,
      trainAccuracy: 0.5,
      validationLoss: 1,
      validationAccuracy: number / 100,
      learningRate: 0.1,
      imagesPerSecond: 400,
      seconds: 10,
    },
    progress: { ...progress, epoch: number },
  };
}
