import { shapesOf } from '@destillml/trainer/distillation/stages.ts';
import { defaultStage, gradCam } from '@destillml/trainer/explain/grad-cam.ts';
import { openProbe } from '@destillml/trainer/explain/probe.ts';
import type { Network } from '@destillml/trainer/models/network.ts';
import { type Tensor2D, type Tensor4D, tf } from '@destillml/trainer/tensorflow/tf.ts';
import { describe, expect, it } from 'vitest';
import { summary } from '../models/filled.ts';
import { type Case, filledImages, filledNetwork } from '../models/reference.ts';
import { filledExplained, imagesOf, reference, relativeError, valuesOf } from './reference.ts';

/** Of a value 0 – 1; and of the maps' norm and projection, as a share of the norm. */
const tolerance = 1e-3;

describe.each(reference.gradCam)(
  '$name at $imageSize px, against pytorch-grad-cam with the same weights',
  ({ name, imageSize, batch, salt, targets, stages }) => {
    it('has the same map at every stage, value for value at the one that is looked at', () => {
      const network = filledNetwork({ name, imageSize } as Case);
      const images = filledImages({ imageSize, batch, salt } as Case);
      const classes = tf.oneHot(tf.tensor1d([...targets], 'int32'), 100).toFloat() as Tensor2D;
      for (const [index, { norm, projection, map }] of stages.entries()) {
        const stage = index + 1;
        const maps = tf.tidy(() => Float32Array.from(gradCam(network, images, classes, stage).dataSync()));

        const [ourNorm, ourProjection] = summary(`cam${stage}`, maps);
        // A map of zeros, of a class that no place speaks for, has no norm to compare with.
        const scale = Math.max(norm, 1);
        expect(Math.abs(ourNorm - norm) / scale, `norm of stage ${stage}`).toBeLessThan(tolerance);
        expect(Math.abs(ourProjection - projection) / scale, `stage ${stage}`).toBeLessThan(tolerance);
        if (map !== undefined) {
          const first = maps.subarray(0, imageSize ** 2);
          expect(largestError(first, valuesOf(map)), `map of stage ${stage}`).toBeLessThan(tolerance);
        }
      }
      expect(stages[defaultStage(shapesOf(network, imageSize)) - 1]!.map).toBeDefined();
      network.variables.dispose();
    });
  },
);

/** Absolute. */
function largestError(found: Float32Array, wanted: Float64Array): number {
  expect(found).toHaveLength(wanted.length);
  return found.reduce((most, value, index) => Math.max(most, Math.abs(value - wanted[index]!)), 0);
}

it('is the same as a captured graph, in a batch with room for more', async () => {
  const expected = reference.gradCam.find(({ name }) => name === 'resnet20')!;
  const [image] = imagesOf(expected);
  const probe = openProbe(filledExplained(expected), { stage: 3, gradients: false, gradCam: true });
  const asked = {
    count: 1,
    draw: (_: number, target: Float32Array) => target.set(image!),
    target: () => expected.targets[0]!,
  };
  let map = new Float32Array();
  await probe.gradCam(asked, (_, found) => {
    map = found.slice();
  });
  probe.dispose();
  expect(probe.gradCamCells).toEqual([8, 8]);
  expect(relativeError(map, valuesOf(expected.stages[2]!.map!))).toBeLessThan(tolerance);
});

it('shows where of the image one channel speaks for the class: equations 1 and 2, by hand', () => {
  // One stage, [1, 2, 2, 2]: the image's first two channels. Logit 0: mean of (first − second) over positions.
  const network = {
    forward(images: Tensor4D) {
      const stage = tf.avgPool(tf.slice(images, [0, 0, 0, 0], [1, 4, 4, 2]), 2, 2, 'valid');
      const [first, second] = tf.split(tf.mean(stage, [1, 2]), 2, 1);
      return { logits: tf.concat([tf.sub(first!, second!), second!], 1), stages: [stage] };
    },
  } as unknown as Network;
  const image = tf.buffer([1, 4, 4, 3]);
  image.set(4, 0, 0, 0, 0);
  image.set(8, 0, 3, 3, 0);
  image.set(8, 0, 0, 3, 1);
  const maps = gradCam(network, image.toTensor() as Tensor4D, tf.tensor2d([[1, 0]]), 1);
  // Weights ¼ and −¼; cells 1, 0 (−2 before the ReLU), 0, 2: scaled ½, 0, 0, 1.
  const corners = [0, 3, 12, 15].map((pixel) => maps.dataSync()[pixel]);
  expect(relativeError(corners as number[], [0.5, 0, 0, 1])).toBeLessThan(1e-6);
});

describe('defaultStage', () => {
  const squares = (...sides: number[]) => sides.map((side) => ({ height: side, width: side, channels: 1 }));

  it.each([
    ['a ResNet for CIFAR at 32 px', [32, 16, 8], 3],
    ['a ResNet of four stages at 32 px', [32, 16, 8, 4], 3],
    ['MobileNetV2 at 32 px', [16, 8, 4, 2], 2],
    ['a ResNet at 224 px', [56, 28, 14, 7], 4],
    ['MobileNetV2 at 8 px', [4, 2, 1, 1], 1],
  ])('of %s', (_, sides, stage) => {
    expect(defaultStage(squares(...sides))).toBe(stage);
  });
});

it('names the stages there are where one does not exist', () => {
  const network = filledExplained({ name: 'resnet8', imageSize: 32 });
  expect(() => openProbe(network, { stage: 4, gradients: false, gradCam: true })).toThrow(
    'resnet8 has no stage 4. Its stages are 1 to 3.',
  );
});
