/** ResNet-20 as the documentation of TensorFlow.js builds and trains it: layers, `trainOnBatch`. */
import { tf } from '@destillml/trainer/tensorflow/tf.ts';
import type * as TensorFlow from '@tensorflow/tfjs-node-gpu';
import { classes, imageSize, scenarios } from './scenarios.ts';
import { serve } from './serve.ts';

type Symbolic = TensorFlow.SymbolicTensor;

const convolution = (x: Symbolic, filters: number, kernelSize: number, strides: number) => {
  const y = tf.layers
    .conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false, kernelInitializer: 'heNormal' })
    .apply(x) as Symbolic;
  return tf.layers.batchNormalization().apply(y) as Symbolic;
};
const relu = (x: Symbolic) => tf.layers.reLU().apply(x) as Symbolic;

const input = tf.input({ shape: [imageSize, imageSize, 3] });
let x = relu(convolution(input, 16, 3, 1));
for (const [stage, filters] of [16, 32, 64].entries()) {
  for (let block = 0; block < 3; block++) {
    const stride = stage > 0 && block === 0 ? 2 : 1;
    const y = convolution(relu(convolution(x, filters, 3, stride)), filters, 3, 1);
    const shortcut = stride === 1 ? x : convolution(x, filters, 1, stride);
    x = relu(tf.layers.add().apply([y, shortcut]) as Symbolic);
  }
}
const pooled = tf.layers.globalAveragePooling2d({}).apply(x) as Symbolic;
const output = tf.layers.dense({ units: classes, activation: 'softmax' }).apply(pooled) as Symbolic;
const model = tf.model({ inputs: input, outputs: output });
model.compile({ optimizer: tf.train.momentum(0.05, 0.9), loss: 'categoricalCrossentropy' });

const { batch } = scenarios.step;
const images = tf.randomNormal([batch, imageSize, imageSize, 3]);
const labels = tf.oneHot(tf.range(0, batch, 1, 'int32').mod(tf.scalar(classes, 'int32')).toInt(), classes);
await model.trainOnBatch(images, labels);
await serve(async () => {
  await model.trainOnBatch(images, labels);
  return batch;
});
