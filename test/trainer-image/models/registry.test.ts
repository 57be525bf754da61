import { type ModelName, modelNames } from '@destillml/core/api/models.ts';
import { buildNetwork } from '@destillml/trainer/models/registry.ts';
import { capturedProgram } from '@destillml/trainer/nn/capture.ts';
import { eagerProgram, type Functions } from '@destillml/trainer/nn/program.ts';
import { Variables } from '@destillml/trainer/nn/variables.ts';
import { type Tensor4D, tf } from '@destillml/trainer/tensorflow/tf.ts';
import { describe, expect, test } from 'vitest';
import { cases, filledImages, filledNetwork } from './reference.ts';

/** Weights that nothing is computed with. */
function zeros(_: string, shape: readonly number[]): Float32Array {
  return new Float32Array(shape.reduce((size, side) => size * side, 1));
}

function parameters(name: ModelName, classes: number): number {
  const variables = new Variables(zeros);
  buildNetwork(name, { variables, classes, imageSize: 32 });
  const count = variables.trainable.reduce((sum, { variable }) => sum + variable.size, 0);
  variables.dispose();
  return count;
}

test('every network of the API is built and compared with PyTorch', () => {
  expect(new Set(cases.map(({ name }) => name))).toEqual(new Set(modelNames));
});

describe('published numbers of parameters for CIFAR-100', () => {
  test.each([
    ['resnet18', 11_220_132],
    ['resnet34', 21_328_292],
    ['resnet50', 23_705_252],
    ['resnet101', 42_697_380],
    ['mobilenet-v2', 812_836],
  ] as const)('%s has %i', (name, count) => {
    expect(parameters(name, 100)).toBe(count);
  });

  test.each([
    ['resnet20', '0.28'],
    ['resnet56', '0.86'],
    ['resnet110', '1.74'],
    ['resnet8x4', '1.23'],
    ['resnet32x4', '7.43'],
    ['wrn-16-2', '0.70'],
    ['wrn-40-1', '0.57'],
    ['wrn-40-2', '2.26'],
    ['vgg8', '3.97'],
    ['vgg13', '9.46'],
  ] as const)('%s has %s million', (name, millions) => {
    expect((parameters(name, 100) / 1e6).toFixed(2)).toBe(millions);
  });
});

describe('stages', () => {
  test.each(cases)(
    '$name at $imageSize px has those of the PyTorch network',
    ({ name, imageSize, stageShapes }) => {
      const variables = new Variables(zeros);
      const network = buildNetwork(name, { variables, classes: 10, imageSize });
      const shapes = tf.tidy(() => {
        const { stages } = network.forward(tf.zeros([1, imageSize, imageSize, 3]) as Tensor4D, false);
        return stages.map(({ shape }) => shape.slice(1));
      });
      variables.dispose();
      expect(shapes).toEqual(stageShapes);
    },
  );
});

test.each(['resnet8', 'resnet50'] as const)('each residual block of %s starts as its shortcut', (name) => {
  const variables = new Variables(zeros);
  buildNetwork(name, { variables, classes: 10, imageSize: 32 });
  const zeroed = variables.all.filter(
    ({ kind, variable }) => kind === 'scale' && variable.dataSync()[0] === 0,
  );
  const last = name === 'resnet8' ? 'bn2' : 'bn3';
  const ends = variables.all.filter(({ name }) => new RegExp(`^layer.*${last}\\.weight$`).test(name));
  variables.dispose();
  expect(zeroed.map(({ name }) => name)).toEqual(ends.map(({ name }) => name));
  expect(ends).toHaveLength(name === 'resnet8' ? 3 : 16);
});

describe('captured as a graph, logits are those of eager execution', () => {
  const few = cases.filter(({ name, imageSize }) =>
    ['resnet18 96', 'resnet8x4 32', 'wrn-16-1 32', 'vgg8 32', 'mobilenet-v2 32'].includes(
      `${name} ${imageSize}`,
    ),
  );

  test.each(few)('$name at $imageSize px', (chosen) => {
    const network = filledNetwork(chosen);
    const images = filledImages(chosen);
    const functions: Functions = {
      infer: {
        inputs: { images: { dtype: 'float32', shape: images.shape } },
        body: ({ images }) => ({ logits: network.forward(images as Tensor4D, false).logits }),
      },
    };
    const variables = network.variables.all.map(({ variable }) => variable);
    const captured = capturedProgram(variables, functions);
    const inputs = { images: Float32Array.from(images.dataSync()) };
    const eager = eagerProgram(functions).run('infer', inputs).logits!;
    const graph = captured.run('infer', inputs).logits!;
    captured.dispose();
    network.variables.dispose();
    images.dispose();

    // TensorFlow fuses a graph's convolutions with what follows them: the order of roundings differs.
    const largest = Math.max(...eager.map(Math.abs));
    expect(Math.max(...graph.map((logit, index) => Math.abs(logit - eager[index]!)))).toBeLessThan(
      1e-5 * largest,
    );
    expect(largest).toBeGreaterThan(0.1);
  });
});
