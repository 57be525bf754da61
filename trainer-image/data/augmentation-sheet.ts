/** A picture of what augmentation does to a few images. */
import type { Augmentation } from '@destillml/core/api/dataset.ts';
import { tf } from '../tensorflow/tf.ts';
import { augment } from './augmentation.ts';
import { colourSize, parametersOf, transformSize } from './augmentation-parameters.ts';
import { imageRows } from './contact-sheet.ts';
import { imageBytes } from './dataset.ts';

/** One row of the sheet. */
interface Example {
  readonly name: string;
  /** Its number in the data set: with seed and epoch it decides what is drawn. */
  readonly index: number;
  /** RGB, 0 – 255, `[size, size, 3]`. */
  readonly image: Uint8Array;
}

interface AugmentationSheetOptions {
  readonly augmentation: Augmentation;
  /** Side of the images in pixels. */
  readonly size: number;
  readonly seed: number;
  /** Augmented versions beside each original: those of the epochs 0, 1, 2 … */
  readonly versions: number;
}

/** One row per example, the original first, then the versions that training sees, as PNG. */
export function augmentationSheet(
  examples: readonly Example[],
  options: AugmentationSheetOptions,
): Promise<Buffer> {
  const bytes = imageBytes(options.size);
  const originals = new Uint8Array(Buffer.concat(examples.map(({ image }) => image)));
  const indices = examples.map(({ index }) => index);
  const versions = Array.from({ length: options.versions }, (_, epoch) =>
    augmentedBytes(originals, indices, epoch, options),
  );
  const rows = examples.map(({ name }, row) => {
    const cells = [originals, ...versions].map((column) => column.subarray(row * bytes, (row + 1) * bytes));
    return { name, images: new Uint8Array(Buffer.concat(cells)) };
  });
  return imageRows(rows, options.size);
}

/** The images as training sees them in an epoch, before normalisation, as bytes. */
function augmentedBytes(
  images: Uint8Array,
  indices: readonly number[],
  epoch: number,
  { augmentation, size, seed }: AugmentationSheetOptions,
): Uint8Array {
  const b = indices.length;
  const { transforms, colours } = parametersOf(augmentation, size, seed, epoch, indices);
  return tf.tidy(() => {
    const values = Float32Array.from(images, (byte) => byte / 255);
    const augmented = augment(
      tf.tensor4d(values, [b, size, size, 3]),
      tf.tensor2d(transforms, [b, transformSize]),
      tf.tensor2d(colours, [b, colourSize]),
    );
    return Uint8Array.from(augmented.dataSync(), (value) => Math.round(value * 255));
  });
}
