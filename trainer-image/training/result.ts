import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunResult, runParameters, runResult } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { z } from 'zod';
import type { LoadedDataset } from '../data/dataset.ts';
import { backend } from '../nn/backend.ts';
import { writeJsonAtomic } from '../storage/atomic.ts';
import { tf } from '../tensorflow/tf.ts';
import { artifactFiles, type TrainingState } from './checkpoint.ts';
import type { Evaluation } from './evaluate.ts';
import type { Session } from './session.ts';

/** `result.json` of a Run: the result and everything that led to it. */
export const resultDocument = z.strictObject({
  run: z.string(),
  experiment: z.string(),
  parameters: runParameters,
  result: runResult,
  classes: z.array(z.string()),
  data: z.strictObject({ origin: z.string(), notes: z.array(z.string()) }),
  environment: z.strictObject({ node: z.string(), tensorflow: z.string(), device: z.enum(['cpu', 'gpu']) }),
});

/** The result of a Run that has nothing left to train, from the folder of its artifacts. */
export function finishedResult(folder: string, parameters: Assignment['parameters']): RunResult | undefined {
  const path = join(folder, artifactFiles.result);
  if (!existsSync(path)) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new DestillError('CheckpointUnusable', `${path} is not JSON: delete it to evaluate again.`, {
      cause,
    });
  }
  const parsed = resultDocument.safeParse(content);
  if (!parsed.success) {
    throw new DestillError('CheckpointUnusable', `${path} is not a result: delete it to evaluate again.`);
  }
  const { result } = parsed.data;
  // More epochs than it was trained for: training goes on.
  return result.epochs >= parameters.training.epochs ? result : undefined;
}

export function writeResult(
  folder: string,
  { name, experiment, parameters, artifacts }: Assignment,
  session: Session,
  state: TrainingState,
  test: Evaluation,
  data: LoadedDataset,
): RunResult {
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
  const document: z.output<typeof resultDocument> = {
    run: name,
    experiment,
    parameters,
    result,
    classes: [...data.classes],
    data: { origin: data.origin, notes: [...data.notes] },
    environment: {
      node: process.version,
      tensorflow: tf.version['tfjs-node'] ?? 'unknown',
      device: backend().binding.isUsingGpuDevice() ? 'gpu' : 'cpu',
    },
  };
  writeJsonAtomic(join(folder, artifactFiles.result), document);
  return result;
}
