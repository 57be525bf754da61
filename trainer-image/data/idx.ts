/**
 * MNIST and Fashion-MNIST in the IDX format (LeCun, http://yann.lecun.com/exdb/mnist/): a big-endian magic number
 * (0, 0, 8 for bytes, number of dimensions), the dimensions, the bytes.
 */
import { corrupt } from './corrupt.ts';
import { checkEveryClass, type ImageSet, imageBytes, inMemory } from './dataset.ts';
import { type DataFile, findFiles, type Wanted } from './files.ts';

/** Side in pixels of the images in the files. */
export const idxSide = 28;
const remedy = 'Fetch the file again.';

export const idxNames = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
} as const;

/** The files of a data set. */
export const idxFiles: Wanted = { names: Object.values(idxNames) };

/**
 * Reads the four files from a folder (plain or .gz) or an archive.
 *
 * Images become `size` px (28 – 32, even) by zeros on every side, and the grey value is copied to three channels.
 *
 * @throws DestillError `DatasetCorrupt` on a wrong magic number or dimension, a file that is too short or too long,
 * a label that does not exist; `DatasetUnavailable` on missing files.
 */
export async function readIdx(
  place: string,
  classes: readonly string[],
  size: number,
  signal?: AbortSignal,
): Promise<{ readonly train: ImageSet; readonly test: ImageSet }> {
  const files = await findFiles(place, idxFiles, signal);
  const [trainImages, trainLabels, testImages, testLabels] = files;
  if (!(trainImages && trainLabels && testImages && testLabels))
    throw new RangeError('findFiles returns every file');
  return {
    train: imageSet(trainImages, trainLabels, classes, size),
    test: imageSet(testImages, testLabels, classes, size),
  };
}

/** The bytes of an IDX file of unsigned bytes with these dimensions. */
export function encodeIdx(dimensions: readonly number[], content: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header.writeUInt32BE(0x0800 + dimensions.length);
  dimensions.forEach((dimension, i) => {
    header.writeUInt32BE(dimension, 4 + 4 * i);
  });
  return Buffer.concat([header, content]);
}

function imageSet(
  imageFile: DataFile,
  labelFile: DataFile,
  classes: readonly string[],
  size: number,
): ImageSet {
  const images = decodeIdx(imageFile, 3);
  const labels = decodeIdx(labelFile, 1);
  const [count = 0, height, width] = images.dimensions;
  if (height !== idxSide || width !== idxSide) {
    const what = `images of ${width} × ${height} pixels (bytes 8 – 15), not ${idxSide} × ${idxSide}`;
    throw corrupt(
      imageFile.path,
      what,
      'Use the files of MNIST or Fashion-MNIST, or the data set image-folder.',
    );
  }
  if (labels.content.length !== count) {
    const what = `${labels.content.length} labels (byte 4) for the ${count} images of ${imageFile.path}`;
    throw corrupt(labelFile.path, what, remedy);
  }
  labels.content.forEach((label, i) => {
    if (label >= classes.length) {
      const what = `label ${label} at byte ${8 + i}; there are ${classes.length} classes`;
      throw corrupt(labelFile.path, what, remedy);
    }
  });
  const perImage = Int32Array.from(labels.content);
  checkEveryClass(perImage, classes, labelFile.path);
  return inMemory(padded(images.content, count, size), size, perImage, classes);
}

function decodeIdx({ path, bytes }: DataFile, rank: number) {
  const header = 4 + 4 * rank;
  if (bytes.length < header)
    throw corrupt(path, `truncated: ${bytes.length} of ${header} header bytes`, remedy);
  const magic = bytes.readUInt32BE(0);
  if (magic !== 0x0800 + rank) {
    const [is, expected] = [magic, 0x0800 + rank].map((word) => `0x${word.toString(16).padStart(8, '0')}`);
    throw corrupt(path, `magic number ${is} at byte 0, not ${expected}: not this kind of IDX file`, remedy);
  }
  const dimensions = Array.from({ length: rank }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  const expected = header + dimensions.reduce((product, dimension) => product * dimension, 1);
  if (dimensions[0] === 0) throw corrupt(path, 'empty: 0 items (byte 4)', remedy);
  if (bytes.length !== expected) {
    const what = bytes.length < expected ? 'truncated: ends' : 'too long: goes on';
    throw corrupt(
      path,
      `${what} at byte ${Math.min(bytes.length, expected)}, its header says ${expected}, it has ${bytes.length}`,
      remedy,
    );
  }
  return { dimensions, content: bytes.subarray(header) };
}

/** Grey `[count, 28, 28]` → RGB `[count, size, size, 3]` with zeros around. */
function padded(grey: Uint8Array, count: number, size: number): Uint8Array {
  const margin = (size - idxSide) / 2;
  const images = new Uint8Array(count * imageBytes(size));
  let from = 0;
  for (let image = 0; image < count; image++) {
    for (let row = 0; row < idxSide; row++) {
      let to = image * imageBytes(size) + ((row + margin) * size + margin) * 3;
      for (let column = 0; column < idxSide; column++) {
        const value = grey[from++] ?? 0;
        images[to++] = value;
        images[to++] = value;
        images[to++] = value;
      }
    }
  }
  return images;
}
