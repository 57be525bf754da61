import { test } from 'vitest';
import { expectAgreement } from './agreement.ts';
import { largest } from './networks.ts';

test.each(largest)(
  '%s: onnxruntime computes logits and stages of 256 images in batches of several sizes',
  (model, imageSize) => expectAgreement(model, imageSize),
);
