import { countFlops } from '@destillml/trainer/models/flops.ts';
import type { Network } from '@destillml/trainer/models/network.ts';
import { globalAveragePool } from '@destillml/trainer/nn/kernels.ts';
import { convolution, depthwiseConvolution, linear, relu, sequence } from '@destillml/trainer/nn/layers.ts';
import { Variables } from '@destillml/trainer/nn/variables.ts';
import { tf } from '@destillml/trainer/tensorflow/tf.ts';
import { expect, test } from 'vitest';

test('convolutions and matrix products of one image count 2 for each multiplication', () => {
  const variables = new Variables(
    (_, shape) => new Float32Array(shape.reduce((size, side) => size * side, 1)),
  );
  const body = sequence(
    convolution(variables, 'a', 3, 4, { kernel: 3, stride: 2, bias: true }),
    relu,
    depthwiseConvolution(variables, 'b', 4, 1),
  );
  const classifier = linear(variables, 'c', 4, 10);
  const network: Network = {
    variables,
    forward: (images, training) => {
      const stage = body(images, training);
      return { logits: classifier(globalAveragePool(stage)), stages: [stage] };
    },
  };
  const before = tf.memory().numTensors;

  // 8 px halved to 4: 4·4·4 outputs of 3·3·3 products, 4·4·4 of 3·3, 10 of 4.
  expect(countFlops(network, 8)).toBe(2 * (64 * 27 + 64 * 9 + 40));
  expect(tf.memory().numTensors).toBe(before);
  variables.dispose();
});
