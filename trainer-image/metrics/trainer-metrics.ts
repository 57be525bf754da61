import type { RunProgress } from '@destillml/core/api/run.ts';
import type { LabelName } from '@destillml/core/metrics/labels.ts';
import { clientOptions, type Metric } from '@destillml/core/metrics/metric.ts';
import { trainerMetrics } from '@destillml/core/metrics/trainer.ts';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Observation } from './observation.ts';

/** Which Run it is: on every series. */
export type Place = { readonly namespace: string; readonly experiment: string; readonly run: string };

const noSums = { images: 0, correct: 0, loss: 0, crossEntropy: 0, distillation: 0 };

type Step = Extract<Observation, { readonly kind: 'step' }>;

/** What one trainer says of itself. Registered once in each registry. */
export class TrainerMetrics {
  readonly #place: Place;
  readonly #epoch: Gauge;
  readonly #epochs: Gauge;
  readonly #loss: Gauge;
  readonly #accuracy: Gauge;
  readonly #learningRate: Gauge;
  readonly #images: Counter;
  readonly #stepSeconds: Histogram;
  readonly #dataWaitSeconds: Histogram;
  readonly #evaluationSeconds: Histogram;
  readonly #checkpointSeconds: Histogram;
  readonly #tensors: Gauge;
  readonly #tensorBytes: Gauge;
  /** Over the images of the current epoch, as far as this process trained it. */
  #sums = noSums;

  constructor(registry: Registry, place: Place) {
    this.#place = place;
    const gauge = (metric: Metric<LabelName>) => new Gauge(clientOptions(metric, registry));
    const histogram = (metric: Metric<LabelName>) => new Histogram(clientOptions(metric, registry));
    this.#epoch = gauge(trainerMetrics.epoch);
    this.#epochs = gauge(trainerMetrics.epochs);
    this.#loss = gauge(trainerMetrics.loss);
    this.#accuracy = gauge(trainerMetrics.accuracy);
    this.#learningRate = gauge(trainerMetrics.learningRate);
    this.#images = new Counter(clientOptions(trainerMetrics.images, registry));
    this.#stepSeconds = histogram(trainerMetrics.stepSeconds);
    this.#dataWaitSeconds = histogram(trainerMetrics.dataWaitSeconds);
    this.#evaluationSeconds = histogram(trainerMetrics.evaluationSeconds);
    this.#checkpointSeconds = histogram(trainerMetrics.checkpointSeconds);
    this.#tensors = gauge(trainerMetrics.tensors);
    this.#tensorBytes = gauge(trainerMetrics.tensorBytes);
    // From 0 on, so that rates begin with the first step.
    this.#images.inc(place, 0);
    for (const times of [
      this.#stepSeconds,
      this.#dataWaitSeconds,
      this.#evaluationSeconds,
      this.#checkpointSeconds,
    ]) {
      times.zero(place);
    }
  }

  observe(observation: Observation): void {
    switch (observation.kind) {
      case 'step':
        this.#step(observation);
        break;
      case 'evaluation':
        this.#evaluationSeconds.observe(this.#place, observation.seconds);
        break;
      case 'checkpoint':
        this.#checkpointSeconds.observe(this.#place, observation.seconds);
        break;
      case 'progress':
        this.#progress(observation.progress);
        break;
      case 'epoch': {
        const { validationAccuracy } = observation.record;
        this.#sums = noSums;
        this.#progress(observation.progress);
        this.#accuracy.set({ ...this.#place, split: 'validation' }, validationAccuracy);
        break;
      }
      case 'result': {
        const { epochs, testAccuracy } = observation.result;
        this.#epoch.set(this.#place, epochs);
        this.#epochs.set(this.#place, epochs);
        this.#accuracy.set({ ...this.#place, split: 'test' }, testAccuracy);
        break;
      }
      case 'note':
        break;
    }
  }

  #progress({ epoch, epochs, step, steps }: RunProgress): void {
    this.#epoch.set(this.#place, epoch + step / steps);
    this.#epochs.set(this.#place, epochs);
  }

  #step({ images, learningRate, seconds, waited, tensors, tensorBytes, ...means }: Step): void {
    const place = this.#place;
    this.#images.inc(place, images);
    this.#stepSeconds.observe(place, seconds);
    this.#dataWaitSeconds.observe(place, waited);
    this.#learningRate.set(place, learningRate);
    this.#tensors.set(place, tensors);
    this.#tensorBytes.set(place, tensorBytes);
    const before = this.#sums;
    const sums = {
      images: before.images + images,
      correct: before.correct + means.correct,
      loss: before.loss + means.loss * images,
      crossEntropy: before.crossEntropy + means.crossEntropy * images,
      distillation: before.distillation + means.distillation * images,
    };
    this.#sums = sums;
    this.#accuracy.set({ ...place, split: 'train' }, sums.correct / sums.images);
    this.#loss.set({ ...place, term: 'total' }, sums.loss / sums.images);
    this.#loss.set({ ...place, term: 'crossEntropy' }, sums.crossEntropy / sums.images);
    if (sums.distillation !== 0) {
      this.#loss.set({ ...place, term: 'distillation' }, sums.distillation / sums.images);
    }
  }
}
