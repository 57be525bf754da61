/**
 * Augmentation inside TensorFlow: one affine colour map, then one projective transform per image.
 *
 * Differences from torchvision's transforms one after another, all small and measured in the tests:
 * - pixels are interpolated (bilinear) once, not once per transform, so images stay sharper;
 * - what a padded crop cuts off can come back into view when the image is then rotated, where torchvision has black;
 * - colours are clamped to [0, 1] once, after the jitter, not after each of its steps;
 * - the hue shift is linear (see `toColour`);
 * - a resized crop blends with the pixels beside its box (black beyond the image) in its outermost pixels, where
 *   torchvision repeats the pixels inside.
 */
import { projectiveTransform } from '../nn/kernels.ts';
import type { Tensor2D, Tensor4D } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';
import { greyWeights } from './augmentation-parameters.ts';

/** Mean and standard deviation of ImageNet's red, green and blue, with values between 0 and 1. */
export const imageNet = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const;

/**
 * Augments images; outside an image is black.
 *
 * @param images `[b, h, w, 3]`, values between 0 and 1.
 * @param transforms `[b, transformSize]`.
 * @param colours `[b, colourSize]`.
 */
export function augment(images: Tensor4D, transforms: Tensor2D, colours: Tensor2D): Tensor4D {
  return projectiveTransform(mapColours(images, colours), transforms);
}

/** Scales images `[b, h, w, 3]` with values between 0 and 1 by ImageNet's mean and standard deviation. */
export function normalise(images: Tensor4D): Tensor4D {
  const scale = tf.tensor1d(imageNet.deviation.map((deviation) => 1 / deviation));
  return tf.mul(tf.sub(images, tf.tensor1d([...imageNet.mean])), scale);
}

function mapColours(images: Tensor4D, colours: Tensor2D): Tensor4D {
  const [b, h, w] = images.shape;
  const matrices = tf.reshape(tf.slice(colours, [0, 0], [b, 9]), [b, 3, 3]);
  const grey = tf.matMul(tf.mean(images, [1, 2]), tf.tensor2d([...greyWeights], [3, 1]));
  const offset = tf.mul(tf.slice(colours, [0, 9], [b, 1]), grey);
  const pixels = tf.reshape(images, [b, h * w, 3]);
  const mapped = tf.add(tf.matMul(pixels, matrices, false, true), tf.reshape(offset, [b, 1, 1]));
  return tf.reshape(tf.clipByValue(mapped, 0, 1), [b, h, w, 3]);
}
