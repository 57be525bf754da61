import { Registry } from 'prom-client';
import { TrainerMetrics } from '../../../trainer-image/metrics/trainer-metrics.ts';
import { at } from './study.ts';

const epochs = 30;
const steps = 480;
const images = 160;

/** The trainer of a Run, at the start and at the end of an hour of its own in which it trains 30 epochs of 60. */
export async function trainerTexts(): Promise<{ readonly before: string; readonly after: string }> {
  const registry = new Registry();
  const trainer = new TrainerMetrics(registry, {
    namespace: 'lab',
    experiment: 'cifar',
    run: 'cifar-hints-small-1',
  });
  const before = await registry.metrics();
  for (let epoch = 1; epoch <= epochs; epoch += 1) {
    for (let step = 0; step < steps; step += 1) {
      trainer.observe({
        kind: 'step',
        images,
        correct: 88,
        loss: 1.5,
        crossEntropy: 1.25,
        distillation: 0.25,
        learningRate: 0.25,
        seconds: step % 2 === 0 ? 0.125 : 0.275,
        waited: 0.0125,
        tensors: 812,
        tensorBytes: 210_000_000,
      });
    }
    trainer.observe({ kind: 'evaluation', seconds: 8 });
    const rates = { learningRate: 0.25, imagesPerSecond: 640 };
    trainer.observe({
      kind: 'epoch',
      record: {
        epoch,
        loss: 1.5,
        crossEntropy: 1.25,
        trainAccuracy: 0.55,
        validationLoss: 1.5,
        validationAccuracy: 0.58,
        seconds: 120,
        ...rates,
      },
      progress: { epoch, epochs: 60, step: 0, steps, updatedAt: at(120 * epoch), ...rates },
    });
    trainer.observe({ kind: 'checkpoint', seconds: 1.2 });
  }
  return { before, after: await registry.metrics() };
}
