import type { Variables } from '../nn/variables.ts';
import type { Tensor2D, Tensor4D } from '../tensorflow/tf.ts';

/** What a network computes for a batch of `b` images. */
export interface Features {
  /** `[b, classes]`, before the softmax. */
  readonly logits: Tensor2D;
  /** Output of every stage, `[b, h, w, c]`, from the first to the last; each family's file says what its stages are. */
  readonly stages: readonly Tensor4D[];
}

export interface Network {
  readonly variables: Variables;
  /**
   * @param images `[b, size, size, 3]`, normalised.
   * @param training true: batch normalisation uses and learns batch statistics.
   */
  forward(images: Tensor4D, training: boolean): Features;
}

export interface NetworkOptions {
  readonly variables: Variables;
  readonly classes: number;
  /** Side of the images in pixels: up to 64 the stem keeps the resolution, above it is ImageNet's. */
  readonly imageSize: number;
}

/** One architecture: builds a network of it, whose variables are added to `options.variables`. */
export type Architecture = (options: NetworkOptions) => Network;
