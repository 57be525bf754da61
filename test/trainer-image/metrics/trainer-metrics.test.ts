import { metrics as catalogued } from '@destillml/core/metrics/catalogue.ts';
import { trainerMetrics } from '@destillml/core/metrics/trainer.ts';
import type { Observation } from '@destillml/trainer/metrics/observation.ts';
import { TrainerMetrics } from '@destillml/trainer/metrics/trainer-metrics.ts';
import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { epoch } from '../reporting/reports.ts';

const labels = 'namespace="lab",experiment="study",run="study-run"';

let registry: Registry;
let metrics: TrainerMetrics;
beforeEach(() => {
  registry = new Registry();
  metrics = new TrainerMetrics(registry, { namespace: 'lab', experiment: 'study', run: 'study-run' });
});

/** Samples without the buckets of histograms, and without the labels that all have. */
async function samples(...prefixes: readonly string[]): Promise<readonly string[]> {
  const text = await registry.metrics();
  return text
    .split('\n')
    .filter((line) => prefixes.some((prefix) => line.startsWith(`destillml_trainer_${prefix}`)))
    .filter((line) => !line.includes('_bucket{'))
    .map((line) => line.replace('destillml_trainer_', '').replace(labels, ''));
}

function step(changes: Partial<Extract<Observation, { kind: 'step' }>> = {}): Observation {
  return {
    kind: 'step',
    images: 100,
    correct: 25,
    loss: 4,
    crossEntropy: 2,
    distillation: 0,
    learningRate: 0.1,
    seconds: 0.5,
    waited: 0.25,
    tensors: 300,
    tensorBytes: 4096,
    ...changes,
  };
}

describe('the metrics of a trainer', () => {
  it('are those of the catalogue, with its names, types, help and labels', async () => {
    const registered = await registry.getMetricsAsJSON();
    const ours = Object.values(trainerMetrics);
    expect(registered.map(({ name, help, type }) => ({ name, help, type }))).toEqual(
      ours.map(({ name, help, type }) => ({ name, help, type })),
    );
    for (const metric of ours) {
      expect(registry.getSingleMetric(metric.name)).toMatchObject({ labelNames: metric.labels });
      expect(catalogued).toContain(metric);
    }
  });

  it('count from 0 on', async () => {
    expect(await samples('images', 'step', 'data_wait', 'evaluation', 'checkpoint')).toEqual([
      'images_total{} 0',
      'step_seconds_sum{} 0',
      'step_seconds_count{} 0',
      'data_wait_seconds_sum{} 0',
      'data_wait_seconds_count{} 0',
      'evaluation_seconds_sum{} 0',
      'evaluation_seconds_count{} 0',
      'checkpoint_seconds_sum{} 0',
      'checkpoint_seconds_count{} 0',
    ]);
  });

  it('tell of steps: images, times, learning rate, tensors', async () => {
    metrics.observe(step());
    metrics.observe(step({ images: 50, learningRate: 0.2, tensors: 301, tensorBytes: 8192 }));
    expect(await samples('images', 'step', 'data_wait', 'learning', 'tensor')).toEqual([
      'learning_rate{} 0.2',
      'images_total{} 150',
      'step_seconds_sum{} 1',
      'step_seconds_count{} 2',
      'data_wait_seconds_sum{} 0.5',
      'data_wait_seconds_count{} 2',
      'tensors{} 301',
      'tensor_bytes{} 8192',
    ]);
  });

  it('tell of loss by term and accuracy as means over the epoch so far', async () => {
    metrics.observe(step({ distillation: 3 }));
    metrics.observe(step({ images: 300, correct: 275, loss: 8, crossEntropy: 6, distillation: 1 }));
    expect(await samples('loss', 'accuracy')).toEqual([
      'loss{,term="total"} 7',
      'loss{,term="crossEntropy"} 5',
      'loss{,term="distillation"} 1.5',
      'accuracy{,split="train"} 0.75',
    ]);
    metrics.observe(epoch(30));
    metrics.observe(step({ correct: 10, distillation: 5 }));
    expect(await samples('loss', 'accuracy')).toEqual([
      'loss{,term="total"} 4',
      'loss{,term="crossEntropy"} 2',
      'loss{,term="distillation"} 5',
      'accuracy{,split="train"} 0.1',
      'accuracy{,split="validation"} 0.3',
    ]);
  });

  it('have no distillation term where nothing is distilled', async () => {
    metrics.observe(step());
    expect(await samples('loss')).toEqual(['loss{,term="total"} 4', 'loss{,term="crossEntropy"} 2']);
  });

  it('tell how far it is, within epochs too', async () => {
    const updatedAt = '2026-11-24T12:00:00.000Z';
    metrics.observe({ kind: 'progress', progress: { epoch: 2, epochs: 10, step: 5, steps: 20, updatedAt } });
    expect(await samples('epoch')).toEqual(['epoch{} 2.25', 'epochs{} 10']);
  });

  it('tell how long evaluations and checkpoints take', async () => {
    metrics.observe({ kind: 'evaluation', seconds: 3 });
    metrics.observe({ kind: 'checkpoint', seconds: 2 });
    expect(await samples('evaluation', 'checkpoint')).toEqual([
      'evaluation_seconds_sum{} 3',
      'evaluation_seconds_count{} 1',
      'checkpoint_seconds_sum{} 2',
      'checkpoint_seconds_count{} 1',
    ]);
  });

  it('end with the accuracy on the test images', async () => {
    const result = {
      bestEpoch: 9,
      validationAccuracy: 0.76,
      testAccuracy: 0.75,
      testAccuracyTop5: 0.9,
      testLoss: 1,
      parameters: 1,
      flops: 1,
      epochs: 10,
      trainingSeconds: 1,
      imagesPerSecond: 1,
      artifacts: '/artifacts',
    };
    metrics.observe({ kind: 'result', result });
    metrics.observe({ kind: 'note', message: 'Nothing to measure.' });
    expect(await samples('epoch', 'accuracy')).toEqual([
      'epoch{} 10',
      'epochs{} 10',
      'accuracy{,split="test"} 0.75',
    ]);
  });
});
