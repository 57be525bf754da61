/** Decodes image files and resizes images, the way torchvision's evaluation transforms do. */
import sharp, { type Sharp } from 'sharp';
import { corrupt, reasonOf } from './corrupt.ts';
import { enlarge, type Window } from './enlarge.ts';

/** Side that the shorter side of an image is resized to before the centre of `size` is cut out. Pixels. */
export function shorterSide(size: number): number {
  return Math.round((size * 256) / 224);
}

/**
 * Decodes a JPEG or PNG file to RGB `[size, size, 3]`: the shorter side becomes round(size · 256 / 224), bilinear with
 * antialiasing, and the centre is cut out, as torchvision's Resize(256) and CenterCrop(224) do.
 *
 * As there, an orientation in the file's metadata is not applied and transparency is dropped.
 *
 * @throws DestillError `DatasetCorrupt` where the file cannot be decoded.
 */
export async function decodeFile(path: string, size: number): Promise<Uint8Array> {
  try {
    const image = sharp(path, { failOn: 'error' });
    const { width, height, hasAlpha } = await image.metadata();
    const window = centre(width, height, size);
    if (window.width > width || window.height > height)
      return enlarge(await rgb(image), width, height, window);
    // Resizing would weigh colours by their opacity.
    if (hasAlpha) return reduce(fromRgb(await rgb(image), width, height), window);
    return await reduce(image, window);
  } catch (cause) {
    const what = `cannot be decoded as an image: ${reasonOf(cause)}`;
    throw corrupt(path, what, 'Replace the file or remove it.', cause);
  }
}

/** Resizes RGB `[from, from, 3]` to `[to, to, 3]`, bilinear with antialiasing. */
export async function resize(image: Uint8Array, from: number, to: number): Promise<Uint8Array> {
  const window: Window = { width: to, height: to, left: 0, top: 0, size: to };
  return to > from ? enlarge(image, from, from, window) : reduce(fromRgb(image, from, from), window);
}

function centre(width: number, height: number, size: number): Window {
  const shorter = shorterSide(size);
  const [resizedWidth, resizedHeight] =
    width <= height
      ? [shorter, Math.floor((shorter * height) / width)]
      : [Math.floor((shorter * width) / height), shorter];
  return {
    width: resizedWidth,
    height: resizedHeight,
    left: halfToEven((resizedWidth - size) / 2),
    top: halfToEven((resizedHeight - size) / 2),
    size,
  };
}

function reduce(image: Sharp, { width, height, left, top, size }: Window): Promise<Uint8Array> {
  return rgb(
    image
      // JPEG's own reduction while decoding is hardly faster and further from torchvision's values.
      .resize(width, height, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false })
      .extract({ left, top, width: size, height: size }),
  );
}

function fromRgb(pixels: Uint8Array, width: number, height: number): Sharp {
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

async function rgb(image: Sharp): Promise<Uint8Array> {
  const { data, info } = await image
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${info.channels} channels instead of 3`);
  return data;
}

/** Python's round(): CenterCrop's offset of an odd margin. */
function halfToEven(value: number): number {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
}
