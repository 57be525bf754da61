import type { Dataset } from '@destillml/core/api/dataset.ts';
import { trainedNetwork } from '../artifacts/trained-network.ts';
import type { LoadedDataset } from '../data/dataset.ts';
import { splitTrain } from '../data/splits.ts';
import type { Network } from '../models/network.ts';
import { capturedProgram } from '../nn/capture.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import { evaluationFunction } from './functions.ts';
import { functionNames } from './session.ts';

export interface CheckpointEvaluation {
  /** Folder of the Run; its best checkpoint is evaluated. */
  readonly artifacts: string;
  readonly dataset: Dataset;
  readonly data: LoadedDataset;
  readonly split: 'test' | 'validation';
  /** Images at a time. */
  readonly batch: number;
}

/** Evaluates the best checkpoint of a Run on one split of its images. */
export async function evaluateCheckpoint(
  options: CheckpointEvaluation,
): Promise<Evaluation & { readonly images: number }> {
  const { artifacts, data } = options;
  const found = { classes: data.classes.length, imageSize: data.train.size };
  const network = trainedNetwork(artifacts, found).open();
  try {
    return await evaluateNetwork(network, options);
  } finally {
    network.variables.dispose();
  }
}

async function evaluateNetwork(network: Network, { dataset, data, split, batch }: CheckpointEvaluation) {
  const program = capturedProgram(
    network.variables.all.map(({ variable }) => variable),
    { [functionNames.evaluate]: evaluationFunction(network, data.classes.length, data.train.size, batch) },
  );
  try {
    const set = split === 'test' ? data.test : data.train;
    const indices =
      split === 'test'
        ? Uint32Array.from({ length: set.count }, (_, i) => i)
        : splitTrain(set, dataset).validation;
    const evaluation = await evaluate(program, set, indices, batch);
    if (evaluation === undefined) throw new RangeError('stopped without a signal');
    return { ...evaluation, images: indices.length };
  } finally {
    program.dispose();
  }
}
