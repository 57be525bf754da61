/** Networks to export: with the weights and statistics of the cases of test/reference/models.py, or fresh ones. */
import type { ModelName } from '@destillml/core/api/models.ts';
import type { ExportedModel } from '@destillml/trainer/export/onnx.ts';
import { buildNetwork } from '@destillml/trainer/models/registry.ts';
import { kaiming } from '@destillml/trainer/nn/initial.ts';
import { Variables } from '@destillml/trainer/nn/variables.ts';
import { cases, classes, filledNetwork } from '../models/reference.ts';

/** As after training: no scale is 0 or 1, and statistics are not those of the start. */
export function trainedLike(model: ModelName, imageSize: number): ExportedModel {
  const found = cases.find(({ name }) => name === model)!;
  return { model, classes, imageSize, network: filledNetwork({ ...found, imageSize }) };
}

/** As training starts. */
export function fresh(model: ModelName, imageSize: number): ExportedModel {
  const variables = new Variables(kaiming(1));
  return {
    model,
    classes: 10,
    imageSize,
    network: buildNetwork(model, { variables, classes: 10, imageSize }),
  };
}

/** Networks that take as long as all others together, in a file of their own; the slowest see smaller images, in pixels. */
export const largest = [
  ['resnet18', 16],
  ['resnet34', 16],
  ['resnet50', 8],
  ['resnet101', 8],
  ['resnet152', 8],
] as const satisfies readonly (readonly [ModelName, number])[];

export function isLargest(model: ModelName): boolean {
  return largest.some(([name]) => name === model);
}
