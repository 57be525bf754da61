import type { Dataset } from '@destillml/core/api/dataset.ts';
import type { LoadedDataset } from '../data/dataset.ts';
import { splitTrain } from '../data/splits.ts';
import { buildNetwork } from '../models/registry.ts';
import { capturedProgram } from '../nn/capture.ts';
import { kaiming } from '../nn/initial.ts';
import { Variables } from '../nn/variables.ts';
import { describeTeacher, loadCheckpoint, networkTensors } from './checkpoint.ts';
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
  const { artifacts, dataset, data, split, batch } = options;
  const { path, network } = describeTeacher(artifacts);
  const found = { classes: data.classes.length, imageSize: data.train.size };
  const variables = new Variables(kaiming(network.seed));
  const built = buildNetwork(network.model, { variables, ...found });
  const program = capturedProgram(
    variables.all.map(({ variable }) => variable),
    { [functionNames.evaluate]: evaluationFunction(built, found.classes, found.imageSize, batch) },
  );
  try {
    loadCheckpoint(path, program, networkTensors(variables.all), { ...network, ...found });
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
