/** What is explained, and what an explanation of it is. */
import type { ModelName } from '@destillml/core/api/models.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { imageNet } from '../data/augmentation.ts';
import { imageBytes } from '../data/dataset.ts';
import type { Network } from '../models/network.ts';

/** A network to explain; it is built only while its turn lasts, so that many networks need the memory of one. */
export interface ExplainedNetwork {
  /** What figures and results call it. */
  readonly name: string;
  /** Absent for a network that is not one of ours. */
  readonly model?: ModelName;
  readonly classes: number;
  /** Side of its images in pixels. */
  readonly imageSize: number;
  /** Builds it with its weights; who calls disposes of its variables. */
  open(): Network;
}

/** An image to explain. */
export interface ExplainedImage {
  readonly name: string;
  /** RGB, 0 – 255, `[size, size, 3]`: what superpixels are made of and what figures show. */
  readonly pixels: Uint8Array;
  /** What networks are given: the pixels normalised, `[size, size, 3]`. */
  readonly input: Float32Array;
  readonly label?: number;
}

/**
 * Which class is explained: what the network predicts, the image's label, one class for all images, or one for each
 * image.
 */
export type ClassChoice = 'prediction' | 'label' | number | readonly number[];

/** How well attributions sum to f(x) − f(background), in logits. */
export interface Additivity {
  readonly sum: number;
  readonly difference: number;
  /** |sum − difference| / Σ|attribution|; 0 where all are 0. */
  readonly error: number;
  /** Whether the error is within the method's tolerance. */
  readonly holds: boolean;
}

/** Where in an image the evidence for a class is. */
export interface AttributionMap {
  /**
   * `[size, size]`. Grad-CAM: 0 – 1. LIME: the coefficient of each pixel's superpixel, a change of probability. SHAP:
   * logits, and the pixels sum to f(x) − f(background). Negative values speak against the class.
   */
  readonly values: Float32Array;
  /** `[size, size]`: pixels of one number were given their value together, as superpixels are. */
  readonly cells: Int32Array;
  /** Share of the weighted variance of the probabilities that LIME's local model explains, at most 1. */
  readonly r2?: number;
  readonly additivity?: Additivity;
}

/** The image of the pixels, normalised as images are in training. */
export function explainedImage(name: string, pixels: Uint8Array, label?: number): ExplainedImage {
  const input = Float32Array.from(pixels, (byte, index) => {
    const channel = (index % 3) as 0 | 1 | 2;
    return (byte / 255 - imageNet.mean[channel]) / imageNet.deviation[channel];
  });
  return { name, pixels, input, ...(label !== undefined && { label }) };
}

/** The class to explain for image number `index`, whose predicted class is `prediction`. */
export function chosenClass(
  choice: ClassChoice,
  { name, label }: ExplainedImage,
  index: number,
  prediction: number,
  classes: number,
): number {
  if (choice === 'prediction') return prediction;
  const wanted = choice === 'label' ? label : typeof choice === 'number' ? choice : choice[index];
  if (wanted === undefined) {
    const advice = 'Explain its prediction, or name a class.';
    throw new DestillError('InvalidSpec', `The image ${name} has no label to explain. ${advice}`);
  }
  if (!Number.isInteger(wanted) || wanted < 0 || wanted >= classes) {
    const allowed = `The network has the classes 0 to ${classes - 1}.`;
    throw new DestillError('InvalidSpec', `Class ${wanted} cannot be explained for ${name}. ${allowed}`);
  }
  return wanted;
}

/** @throws RangeError if an image is not `size` × `size` × 3. */
export function checkSizes(images: readonly ExplainedImage[], size: number): void {
  for (const { name, pixels, input } of images) {
    if (pixels.length === imageBytes(size) && input.length === pixels.length) continue;
    throw new RangeError(`the image ${name} is not ${size} × ${size} × 3`);
  }
}
