import { convolution, type Layer, maxPool } from '../nn/layers.ts';
import type { NetworkOptions } from './network.ts';

/** Largest side, in pixels, of images that are too small to be halved by the stem. */
const largestSmallImage = 64;

export function isSmall(imageSize: number): boolean {
  return imageSize <= largestSmallImage;
}

/** The first convolution, `conv1`: 3×3 for small images, else ImageNet's 7×7 of stride 2. */
export function stemConvolution({ variables, imageSize }: NetworkOptions, channels: number): Layer {
  const window = isSmall(imageSize) ? { kernel: 3 } : { kernel: 7, stride: 2 };
  return convolution(variables, 'conv1', 3, channels, window);
}

/** What ends the stem: nothing for small images, else a 3×3 maximum of stride 2. */
export function stemPool({ imageSize }: NetworkOptions): Layer {
  return isSmall(imageSize) ? (x) => x : maxPool(3, 2, 1);
}
