import { runLabels } from './labels.ts';
import { metric } from './metric.ts';

/** A millisecond to a minute. */
const short = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** A tenth of a second to ten minutes. */
const long = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** Of one Run, by its pod while it trains. */
export const trainerMetrics = {
  epoch: metric({
    name: 'destillml_trainer_epoch',
    type: 'gauge',
    unit: 'count',
    help: 'Epochs completed, parts of the current one included',
    labels: runLabels,
  }),
  epochs: metric({
    name: 'destillml_trainer_epochs',
    type: 'gauge',
    unit: 'count',
    help: 'Epochs in all',
    labels: runLabels,
  }),
  loss: metric({
    name: 'destillml_trainer_loss',
    type: 'gauge',
    unit: 'any',
    help: 'Mean over the epoch so far of the training objective (total), of the cross-entropy, and of the weighted distillation terms',
    labels: [...runLabels, 'term'],
  }),
  accuracy: metric({
    name: 'destillml_trainer_accuracy',
    type: 'gauge',
    unit: 'ratio',
    help: 'Share of the images that were right: train in the epoch so far, validation in the last one, test at the end',
    labels: [...runLabels, 'split'],
  }),
  learningRate: metric({
    name: 'destillml_trainer_learning_rate',
    type: 'gauge',
    unit: 'any',
    help: 'Learning rate of the last step',
    labels: runLabels,
  }),
  images: metric({
    name: 'destillml_trainer_images_total',
    type: 'counter',
    unit: 'count',
    help: 'Images trained on, each as often as it was seen',
    labels: runLabels,
  }),
  stepSeconds: metric({
    name: 'destillml_trainer_step_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time of one training step, without the wait for its images',
    labels: runLabels,
    buckets: short,
  }),
  dataWaitSeconds: metric({
    name: 'destillml_trainer_data_wait_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Wait of one training step for its images',
    labels: runLabels,
    buckets: short,
  }),
  evaluationSeconds: metric({
    name: 'destillml_trainer_evaluation_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time of one evaluation on the validation or test images',
    labels: runLabels,
    buckets: long,
  }),
  checkpointSeconds: metric({
    name: 'destillml_trainer_checkpoint_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time that training stood still for one checkpoint',
    labels: runLabels,
    buckets: long,
  }),
  tensors: metric({
    name: 'destillml_trainer_tensors',
    type: 'gauge',
    unit: 'count',
    help: 'Tensors that TensorFlow.js holds',
    labels: runLabels,
  }),
  tensorBytes: metric({
    name: 'destillml_trainer_tensor_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Memory of the tensors that TensorFlow.js holds',
    labels: runLabels,
  }),
} as const;
