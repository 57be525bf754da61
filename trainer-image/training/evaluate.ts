import { setImmediate } from 'node:timers/promises';
import { type ImageSet, imageBytes } from '../data/dataset.ts';
import type { Program } from '../nn/program.ts';
import { functionNames } from './session.ts';

/** Mean cross-entropy, and shares of images whose label is the first, or among the first five, by logit. */
export interface Evaluation {
  readonly loss: number;
  readonly accuracy: number;
  readonly accuracyTop5: number;
}

/**
 * Evaluates the program's network on images of a set, in inference mode, without augmentation.
 *
 * @returns undefined if the signal was raised meanwhile.
 */
export async function evaluate(
  program: Program,
  set: ImageSet,
  indices: Uint32Array,
  batch: number,
  signal?: AbortSignal,
): Promise<Evaluation | undefined> {
  const sums = { loss: 0, correct: 0, correctTop5: 0 };
  const bytes = imageBytes(set.size);
  for (let start = 0; start < indices.length; start += batch) {
    // Lets signals and reports through: a batch blocks the event loop.
    await setImmediate();
    if (signal?.aborted) return undefined;
    const part = indices.subarray(start, start + batch);
    // The graph takes full batches; -1 marks what is only filling.
    const images = new Uint8Array(batch * bytes);
    const labels = new Int32Array(batch).fill(-1);
    await set.read(part, images);
    part.forEach((index, position) => {
      labels[position] = set.labels[index] ?? -1;
    });
    const outputs = program.run(functionNames.evaluate, { images, labels });
    sums.loss += outputs.loss?.[0] ?? Number.NaN;
    sums.correct += outputs.correct?.[0] ?? Number.NaN;
    sums.correctTop5 += outputs.correctTop5?.[0] ?? Number.NaN;
  }
  return {
    loss: sums.loss / indices.length,
    accuracy: sums.correct / indices.length,
    accuracyTop5: sums.correctTop5 / indices.length,
  };
}
