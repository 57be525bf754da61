import type { ModelName } from '@destillml/core/api/models.ts';
import { inferenceGraph } from '@destillml/trainer/export/inference-graph.ts';
import { exportOnnx } from '@destillml/trainer/export/onnx.ts';
import { verifyOnnx } from '@destillml/trainer/export/verify-onnx.ts';
import { expect } from 'vitest';
import { fresh, trainedLike } from './networks.ts';

/** Relative to the largest value of an output; 2e-6 was measured. */
export const tolerance = 1e-4;

/** onnxruntime computes the logits and stages of 256 images in batches of several sizes. */
export async function expectAgreement(model: ModelName, imageSize: number): Promise<void> {
  const trained = trainedLike(model, imageSize);
  const started = fresh(model, 8);
  const { stageShapes } = inferenceGraph(trained.network, trained.imageSize);
  const stages = stageShapes.map((_, index) => `stage${index + 1}`);
  for (const [exported, foldBatchNorm] of [
    [trained, false],
    [trained, true],
    [started, false],
  ] as const) {
    const errors = await verifyOnnx(exportOnnx(exported, { foldBatchNorm }), exported, {
      images: 256,
      tolerance,
    });
    expect(errors.map(({ output }) => output)).toEqual(['logits', ...stages]);
  }
  trained.network.variables.dispose();
  started.network.variables.dispose();
}
