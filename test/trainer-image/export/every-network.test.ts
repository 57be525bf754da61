import { modelNames } from '@destillml/core/api/models.ts';
import { exportOnnx } from '@destillml/trainer/export/onnx.ts';
import { verifyOnnx } from '@destillml/trainer/export/verify-onnx.ts';
import { test } from 'vitest';
import { expectAgreement, tolerance } from './agreement.ts';
import { isLargest, trainedLike } from './networks.ts';

test.each(modelNames.filter((model) => !isLargest(model)))(
  '%s: onnxruntime computes logits and stages of 256 images in batches of several sizes',
  (model) => expectAgreement(model, 16),
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
