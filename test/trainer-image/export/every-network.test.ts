import { type ModelName, modelNames } from '@destillml/core/api/models.ts';
import { inferenceGraph } from '@destillml/trainer/export/inference-graph.ts';
import { exportOnnx } from '@destillml/trainer/export/onnx.ts';
import { verifyOnnx } from '@destillml/trainer/export/verify-onnx.ts';
import { expect, test } from 'vitest';
import { fresh, trainedLike } from './networks.ts';

/** Relative to the largest value of an output; 2e-6 was measured. */
const tolerance = 1e-4;
/** The slowest networks see smaller images. */
const slow = ['resnet50', 'resnet101', 'resnet152'];
const sizeOf = (model: ModelName) => (slow.includes(model) ? 8 : 16);

test.each(modelNames)(
  '%s: onnxruntime computes logits and stages of 256 images in batches of several sizes',
  async (model) => {
    const trained = trainedLike(model, sizeOf(model));
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
  },
);

test.each([
  ['resnet8', 96],
  ['wrn-16-1', 96],
  ['vgg8', 64],
  ['mobilenet-v2', 96],
] as const)('%s of %i px, whose stem halves the sides', async (model, size) => {
  const exported = trainedLike(model, size);
  for (const foldBatchNorm of [false, true]) {
    await verifyOnnx(exportOnnx(exported, { foldBatchNorm }), exported, { images: 64, tolerance });
  }
  exported.network.variables.dispose();
});
