/** What an image is compared with: the absence of what it shows. */

/** σ of the blur as a share of the image's side: nothing the size of an object is left of it. */
const blurShare = 1 / 8;

/**
 * The image blurred by a Gaussian of σ = size / 8, cut off at 3 σ, its edges repeated outwards.
 *
 * @param image `[size, size, 3]`.
 */
export function blurred(image: Float32Array, size: number): Float32Array {
  const kernel = gaussian(size * blurShare);
  return convolve(convolve(image, size, kernel, 3 * size), size, kernel, 3);
}

/** The mean of images of one shape. */
export function meanImage(images: readonly Float32Array[]): Float32Array {
  const mean = new Float32Array(images[0]?.length ?? 0);
  for (const image of images) {
    for (const [index, value] of image.entries()) mean[index] = (mean[index] ?? 0) + value / images.length;
  }
  return mean;
}

/** Weights at distances −r … r that sum to 1. */
function gaussian(sigma: number): Float64Array {
  const radius = Math.ceil(3 * sigma);
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, index) =>
    Math.exp(-((index - radius) ** 2) / (2 * sigma ** 2)),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Convolution along one axis: `stride` is 3 · size down the rows, 3 along them. */
function convolve(image: Float32Array, size: number, kernel: Float64Array, stride: number): Float32Array {
  const radius = (kernel.length - 1) / 2;
  return image.map((_, index) => {
    const position = Math.floor(index / stride) % size;
    let sum = 0;
    for (const [offset, weight] of kernel.entries()) {
      const other = Math.max(0, Math.min(size - 1, position + offset - radius));
      sum += weight * (image[index + (other - position) * stride] ?? 0);
    }
    return sum;
  });
}
