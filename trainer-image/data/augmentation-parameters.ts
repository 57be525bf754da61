/**
 * What happens to one image in one epoch: drawn as torchvision draws it, then reduced to one projective transform
 * and one affine colour map.
 *
 * Order: horizontal flip, colour jitter (brightness, contrast, saturation, hue), padded crop, rotation, resized
 * crop. It is torchvision's usual order (flip, crop, jitter, …) except that the black border which a padded crop
 * adds is not jittered: whatever lies outside the image is black.
 */
import type { Augmentation } from '@destillml/core/api/dataset.ts';
import { uniform } from '../nn/random.ts';

/** The random choices for one image; the identity where the augmentation does not ask for a transformation. */
export interface AugmentationParameters {
  readonly flip: boolean;
  /** Corner of the crop relative to the image's own, in pixels: from −padding to padding. */
  readonly crop: { readonly left: number; readonly top: number };
  /** Factors, 1 for no change. */
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  /** Turns of the colour circle, −0.5 to 0.5. */
  readonly hue: number;
  /** Degrees, anticlockwise. */
  readonly angle: number;
  /** Part of the image that is enlarged to the whole, in pixels. */
  readonly box: Box;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** (a0, a1, a2, b0, b1, b2, c0, c1) of `projectiveTransform`: position in the output → position in the image. */
type Transform = readonly [number, number, number, number, number, number, number, number];

/** The matrix M, row by row, then the weight w: colour x ↦ M·x + w·(mean grey level of the image). */
type ColourMap = readonly [
  ...matrix: [number, number, number, number, number, number, number, number, number],
  meanGrey: number,
];

/** Numbers per image in a batch of transforms. */
export const transformSize = 8;
/** Numbers per image in a batch of colour maps. */
export const colourSize = 10;

/** Grey level of (red, green, blue), as torchvision weighs them (ITU-R BT.601). */
export const greyWeights = [0.2989, 0.587, 0.114] as const;

/** Each choice has a counter of its own, so that asking for one transformation leaves the others as they were. */
const draw = {
  flip: 0,
  cropLeft: 1,
  cropTop: 2,
  brightness: 3,
  contrast: 4,
  saturation: 5,
  hue: 6,
  angle: 7,
  boxLeft: 8,
  boxTop: 9,
  /** Two for each try. */
  box: 10,
} as const;

/** Tells these draws from others of the same seed and epoch. */
const augmentationStream = 0x61_75_67_6d;
const resizedCropTries = 10;

type Draw = (counter: number) => number;

/**
 * Draws the parameters for image `index` (its number in the data set) in `epoch`: they depend on these two and the
 * seed only.
 *
 * @param size side of the square image in pixels.
 */
export function drawParameters(
  augmentation: Augmentation,
  size: number,
  seed: number,
  epoch: number,
  index: number,
): AugmentationParameters {
  const next: Draw = (counter) => uniform(seed, epoch, index, counter, augmentationStream);
  const { horizontalFlip = 0, crop, colorJitter, rotation = 0, resizedCrop } = augmentation;
  const padding = crop?.padding ?? 0;
  return {
    flip: horizontalFlip > 0 && next(draw.flip) < horizontalFlip,
    crop: {
      left: padding > 0 ? integer(2 * padding + 1, next(draw.cropLeft)) - padding : 0,
      top: padding > 0 ? integer(2 * padding + 1, next(draw.cropTop)) - padding : 0,
    },
    brightness: factor(colorJitter?.brightness ?? 0, draw.brightness, next),
    contrast: factor(colorJitter?.contrast ?? 0, draw.contrast, next),
    saturation: factor(colorJitter?.saturation ?? 0, draw.saturation, next),
    hue: symmetric(colorJitter?.hue ?? 0, draw.hue, next),
    angle: symmetric(rotation, draw.angle, next),
    box: resizedCrop === undefined ? wholeImage(size) : resizedCropBox(resizedCrop, size, next),
  };
}

/** Whole image: nothing is cropped. */
export function wholeImage(size: number): Box {
  return { left: 0, top: 0, width: size, height: size };
}

/**
 * The flip, crop, rotation and resized crop as one transform from output to input positions.
 *
 * Positions are pixel indices, pixel centres are whole numbers: the image's centre is (size − 1) / 2 and an output
 * pixel i of n lies at share (i + ½) / n of its box.
 */
export function toTransform(parameters: AugmentationParameters, size: number): Transform {
  const { flip, crop, angle, box } = parameters;
  const scaleX = box.width / size;
  const scaleY = box.height / size;
  const centre = (size - 1) / 2;
  const cos = Math.cos((angle * Math.PI) / 180);
  const sin = Math.sin((angle * Math.PI) / 180);
  // Resized crop, read backwards, relative to the centre about which the image was rotated.
  const x0 = (scaleX - 1) / 2 + box.left - centre;
  const y0 = (scaleY - 1) / 2 + box.top - centre;
  const x = [cos * scaleX, -sin * scaleY, cos * x0 - sin * y0 + centre + crop.left] as const;
  const y = [sin * scaleX, cos * scaleY, sin * x0 + cos * y0 + centre + crop.top] as const;
  return flip ? [-x[0], -x[1], size - 1 - x[2], ...y, 0, 0] : [...x, ...y, 0, 0];
}

/**
 * Brightness, contrast, saturation and hue, in this order, as one affine map of colours between 0 and 1.
 *
 * Brightness b scales; contrast c blends with the image's mean grey level; saturation s blends with the pixel's own
 * grey level g·x; hue rotates about the axis of greys by H. Since H and the blend keep greys, the whole is
 * x ↦ b·c·(s·H + (1 − s)·1·gᵀ)·x + b·(1 − c)·(g·mean).
 *
 * The rotation stands for torchvision's shift in HSV, which is not linear. The least-squares matrix over all colours
 * is no nearer; a rotation in YIQ, which keeps luma, is up to a third farther away. On photographs and for shifts up
 * to 0.1 turns they differ by 0.02 of the range in the mean and 0.16 at most.
 */
export function toColour(parameters: AugmentationParameters): ColourMap {
  const { brightness, contrast, saturation, hue } = parameters;
  const gain = brightness * contrast;
  const [g0, g1, g2] = greyWeights;
  const turn = 2 * Math.PI * hue;
  const even = (1 - Math.cos(turn)) / 3;
  const odd = Math.sin(turn) / Math.sqrt(3);
  const same = gain * saturation * (Math.cos(turn) + even);
  const before = gain * saturation * (even - odd);
  const after = gain * saturation * (even + odd);
  const r = gain * (1 - saturation) * g0;
  const g = gain * (1 - saturation) * g1;
  const b = gain * (1 - saturation) * g2;
  return [
    ...[same + r, before + g, after + b],
    ...[after + r, same + g, before + b],
    ...[before + r, after + g, same + b],
    brightness * (1 - contrast),
  ] as unknown as ColourMap;
}

/** The parameters of a batch, row by row. */
export interface BatchParameters {
  /** `[b, transformSize]`, see `toTransform`. */
  readonly transforms: Float32Array;
  /** `[b, colourSize]`, see `toColour`. */
  readonly colours: Float32Array;
}

/**
 * Draws the parameters of a batch.
 *
 * @param size side of the square images in pixels.
 * @param indices numbers of the images in the data set: an image's parameters depend on (seed, epoch, index) only.
 */
export function parametersOf(
  augmentation: Augmentation,
  size: number,
  seed: number,
  epoch: number,
  indices: ArrayLike<number>,
): BatchParameters {
  const count = indices.length;
  const transforms = new Float32Array(count * transformSize);
  const colours = new Float32Array(count * colourSize);
  for (let i = 0; i < count; i++) {
    const parameters = drawParameters(augmentation, size, seed, epoch, indices[i] ?? 0);
    transforms.set(toTransform(parameters, size), i * transformSize);
    colours.set(toColour(parameters), i * colourSize);
  }
  return { transforms, colours };
}

function integer(count: number, share: number): number {
  return Math.floor(share * count);
}

/** Between max(0, 1 − v) and 1 + v. */
function factor(v: number, counter: number, next: Draw): number {
  if (v === 0) return 1;
  const low = Math.max(0, 1 - v);
  return low + (1 + v - low) * next(counter);
}

/** Between −v and v. */
function symmetric(v: number, counter: number, next: Draw): number {
  return v === 0 ? 0 : v * (2 * next(counter) - 1);
}

/** torchvision's `RandomResizedCrop.get_params` for a square image. */
function resizedCropBox(
  { scale, ratio }: NonNullable<Augmentation['resizedCrop']>,
  size: number,
  next: Draw,
): Box {
  const [minScale = 1, maxScale = 1] = scale;
  const [minRatio = 1, maxRatio = 1] = ratio;
  for (let attempt = 0; attempt < resizedCropTries; attempt++) {
    const share = minScale + (maxScale - minScale) * next(draw.box + 2 * attempt);
    const aspect = minRatio * (maxRatio / minRatio) ** next(draw.box + 2 * attempt + 1);
    const width = Math.round(size * Math.sqrt(share * aspect));
    const height = Math.round(size * Math.sqrt(share / aspect));
    if (width > 0 && width <= size && height > 0 && height <= size) {
      const left = integer(size - width + 1, next(draw.boxLeft));
      const top = integer(size - height + 1, next(draw.boxTop));
      return { left, top, width, height };
    }
  }
  // No box fitted: the largest one in the middle whose aspect ratio is allowed.
  const width = maxRatio < 1 ? Math.round(size * maxRatio) : size;
  const height = minRatio > 1 ? Math.round(size / minRatio) : size;
  return { left: Math.floor((size - width) / 2), top: Math.floor((size - height) / 2), width, height };
}
