import type { RunResult } from '@destillml/core/api/run.ts';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import type { TrainingState } from '../artifacts/checkpoint.ts';
import type { ResultDocument } from '../artifacts/result.ts';
import type { LoadedDataset } from '../data/dataset.ts';
import { backend } from '../nn/backend.ts';
import { tf } from '../tensorflow/tf.ts';
import type { Evaluation } from './evaluate.ts';
import type { Session } from './session.ts';

/** What a Run has come to. */
export function resultOf(
  { name, experiment, parameters, trial, artifacts }: Assignment,
  session: Session,
  state: TrainingState,
  test: Evaluation,
  data: LoadedDataset,
): ResultDocument {
  if (state.best === undefined) throw new RangeError('no epoch was trained');
  const result: RunResult = {
    bestEpoch: state.best.epoch,
    validationAccuracy: state.best.validationAccuracy,
    testAccuracy: test.accuracy,
    testAccuracyTop5: test.accuracyTop5,
    testLoss: test.loss,
    parameters: session.parameters,
    flops: session.flops,
    epochs: state.epoch,
    trainingSeconds: state.trainingSeconds,
    imagesPerSecond: state.images / state.stepSeconds,
    artifacts,
  };
  return {
    run: name,
    experiment,
    parameters,
    ...(trial === undefined ? {} : { trial }),
    result,
    classes: [...data.classes],
    data: { origin: data.origin, notes: [...data.notes] },
    environment: {
      node: process.version,
      tensorflow: tf.version['tfjs-node'] ?? 'unknown',
      device: backend().binding.isUsingGpuDevice() ? 'gpu' : 'cpu',
      threads: state.threads.join(', then '),
    },
  };
}
