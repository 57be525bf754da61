/**
 * CIFAR-10 and CIFAR-100 in their binary version (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html):
 * per image one label byte (CIFAR-100: coarse, then fine label), then 3,072 bytes, the channels R, G, B one after the other.
 */
import { classNames } from './class-names.ts';
import { corrupt } from './corrupt.ts';
import { checkEveryClass, type ImageSet, imageBytes, inMemory } from './dataset.ts';
import { type DataFile, findFiles, type Wanted } from './files.ts';

const side = 32;
const pixels = side * side;
const remedy = 'Fetch the data set again.';

interface Format {
  readonly archive: string;
  readonly train: readonly string[];
  readonly test: string;
  readonly names: string;
  readonly classes: number;
  /** Bytes before the pixels; the last of them is the label. */
  readonly labelBytes: number;
  /** Images of the training files for each of the test file. */
  readonly trainPerTest: number;
}

const formats = {
  cifar10: {
    archive: 'cifar-10-binary.tar.gz',
    train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
    test: 'test_batch.bin',
    names: 'batches.meta.txt',
    classes: 10,
    labelBytes: 1,
    trainPerTest: 5,
  },
  cifar100: {
    archive: 'cifar-100-binary.tar.gz',
    train: ['train.bin'],
    test: 'test.bin',
    names: 'fine_label_names.txt',
    classes: 100,
    labelBytes: 2,
    trainPerTest: 5,
  },
} as const satisfies Record<string, Format>;

/**
 * Reads the data set from its folder or its archive; images are 32 × 32.
 *
 * @throws DestillError `DatasetCorrupt` on files that are truncated, empty or carry labels that do not exist;
 * `DatasetUnavailable` on missing files.
 */
export async function readCifar(
  name: keyof typeof formats,
  place: string,
  signal?: AbortSignal,
): Promise<{ readonly train: ImageSet; readonly test: ImageSet; readonly notes: readonly string[] }> {
  const format: Format = formats[name];
  const [nameFile, testFile, ...trainFiles] = await findFiles(place, cifarFiles(name), signal);
  if (nameFile === undefined || testFile === undefined) throw new RangeError('findFiles returns every file');
  const { classes, notes } = classNames(namesIn(nameFile, format), nameFile.path);
  checkSizes(trainFiles, testFile, format);
  const test = decode([testFile], classes, format);
  const train = decode(trainFiles, classes, format);
  const isComplete = train.count === 50_000 && test.count === 10_000;
  return {
    train,
    test,
    notes: [
      ...notes,
      isComplete
        ? 'The published number of images: 50,000 for training, 10,000 for testing.'
        : `Not the published number of images (50,000 and 10,000): ${train.count} and ${test.count}.`,
    ],
  };
}

/** The files of the data set. */
export function cifarFiles(name: keyof typeof formats): Wanted & { readonly archive: string } {
  const { names, test, train, archive }: Format = formats[name];
  return { names: [names, test, ...train], archive };
}

function namesIn(file: DataFile, { classes }: Format): string[] {
  const names = file.bytes
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (names.length !== classes)
    throw corrupt(file.path, `names ${names.length} classes, not ${classes}`, remedy);
  return names;
}

/**
 * Whole records in every file, and the published ratio between files: a file that was cut between two records has
 * nothing else to tell it by.
 */
function checkSizes(train: readonly DataFile[], test: DataFile, format: Format): void {
  const record = format.labelBytes + imageBytes(side);
  for (const { path, bytes } of [test, ...train]) {
    if (bytes.length === 0) throw corrupt(path, 'empty', remedy);
    const rest = bytes.length % record;
    if (rest !== 0) {
      const what = `truncated or not a CIFAR file: the record at byte ${bytes.length - rest} has ${rest} of ${record} bytes`;
      throw corrupt(path, what, remedy);
    }
  }
  const expected = (test.bytes.length * format.trainPerTest) / train.length;
  for (const { path, bytes } of train) {
    if (bytes.length !== expected) {
      const what = `${bytes.length} bytes where ${test.path} of ${test.bytes.length} calls for ${expected}: one of the two is truncated`;
      throw corrupt(path, what, remedy);
    }
  }
}

function decode(files: readonly DataFile[], classes: readonly string[], { labelBytes }: Format): ImageSet {
  const record = labelBytes + imageBytes(side);
  const count = files.reduce((sum, { bytes }) => sum + bytes.length / record, 0);
  const images = new Uint8Array(count * imageBytes(side));
  const labels = new Int32Array(count);
  let image = 0;
  for (const { path, bytes } of files) {
    for (let start = 0; start < bytes.length; start += record, image++) {
      const at = start + labelBytes - 1;
      const label = bytes.readUInt8(at);
      if (label >= classes.length) {
        throw corrupt(path, `label ${label} at byte ${at}; there are ${classes.length} classes`, remedy);
      }
      labels[image] = label;
      interleave(bytes, start + labelBytes, images, image * imageBytes(side));
    }
  }
  checkEveryClass(labels, classes, files.map(({ path }) => path).join(', '));
  return inMemory(images, side, labels, classes);
}

/** Channels one after the other at `from` → pixels of three channels at `to`. */
function interleave(source: Uint8Array, from: number, target: Uint8Array, to: number): void {
  for (let pixel = 0, at = to; pixel < pixels; pixel++, at += 3) {
    target[at] = source[from + pixel] ?? 0;
    target[at + 1] = source[from + pixels + pixel] ?? 0;
    target[at + 2] = source[from + 2 * pixels + pixel] ?? 0;
  }
}
