/**
 * Why convolutions are padded as they are (docs/decisions/0002): milliseconds of the two gradients of a 3×3 convolution
 * of 128 × 32 × 32 × 16, with SAME, with padded VALID and with explicit padding, which are the same thing.
 */
import { backend } from '@destillml/trainer/nn/backend.ts';
import { type Tensor, tf } from '@destillml/trainer/tensorflow/tf.ts';

const { binding } = backend();
const filter = tf.randomNormal([3, 3, 16, 16]);
const dy = tf.randomNormal([128, 32, 32, 16]);

for (const padding of ['SAME', 'VALID', 'EXPLICIT']) {
  const side = padding === 'VALID' ? 34 : 32;
  const x = tf.randomNormal([128, side, side, 16]);
  const attributes = [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'strides', type: binding.TF_ATTR_INT, value: [1, 1, 1, 1] },
    { name: 'padding', type: binding.TF_ATTR_STRING, value: padding },
    ...(padding === 'EXPLICIT'
      ? [{ name: 'explicit_paddings', type: binding.TF_ATTR_INT, value: [0, 0, 1, 1, 1, 1, 0, 0] }]
      : []),
  ];
  const shape = (tensor: Tensor) => tf.tensor1d(tensor.shape, 'int32');
  const times = [
    milliseconds('Conv2DBackpropInput', () => [shape(x), filter, dy]),
    milliseconds('Conv2DBackpropFilter', () => [x, shape(filter), dy]),
  ];
  console.log(`${padding.padEnd(9)} input ${times[0]} ms, filter ${times[1]} ms`);

  function milliseconds(operation: string, inputs: () => Tensor[]): string {
    const run = () => tf.tidy(() => void backend().executeSingleOutput(operation, attributes, inputs()));
    run();
    const started = performance.now();
    for (let n = 0; n < 20; n++) run();
    return ((performance.now() - started) / 20).toFixed(1);
  }
}
