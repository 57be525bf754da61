import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageSet, inMemory, type LoadedDataset } from '@destillml/trainer/data/dataset.ts';
import { readImageFolder } from '@destillml/trainer/data/image-folder.ts';
import { resized } from '@destillml/trainer/data/resized.ts';
import { splitTrain } from '@destillml/trainer/data/splits.ts';
import { fingerprintOf } from '@destillml/trainer/training/fingerprint.ts';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from './run.ts';

const { signal } = new AbortController();
const classes = ['cat', 'dog'];

function made(
  count: number,
  change: (pixels: Uint8Array, labels: Int32Array) => void = () => undefined,
): ImageSet {
  const pixels = Uint8Array.from({ length: count * 12 }, (_, index) => index);
  const labels = Int32Array.from({ length: count }, (_, index) => index % 2);
  change(pixels, labels);
  return inMemory(pixels, 2, labels, classes);
}

function dataset(train: ImageSet, test: ImageSet): LoadedDataset {
  return { name: 'mnist', classes, train, test, origin: '', notes: [] };
}

const options = { validation: 4, fraction: 1, splitSeed: 1 };

/** Which parts of the fingerprint of one differ from that of another. */
async function differences(a: LoadedDataset, b: LoadedDataset, other: Partial<typeof options> = {}) {
  const [one, two] = await Promise.all([
    fingerprintOf(a, splitTrain(a.train, options), signal),
    fingerprintOf(b, splitTrain(b.train, { ...options, ...other }), signal),
  ]);
  return Object.keys(one).filter((key) => one[key as keyof typeof one] !== two[key as keyof typeof two]);
}

describe('images in memory', () => {
  const whole = dataset(made(20), made(10));

  test('have the same fingerprint whenever they are the same, at whatever size they are trained on', async () => {
    expect(await differences(whole, dataset(made(20), made(10)))).toEqual([]);
    expect(await differences(whole, dataset(resized(made(20), 4), resized(made(10), 4)))).toEqual([]);
  });

  test.each([
    ['one pixel of an image', made(20, (pixels) => (pixels[100] = 0)), made(10), {}, ['images']],
    ['one pixel of a test image', made(20), made(10, (pixels) => (pixels[5] = 9)), {}, ['images']],
    ['one test label', made(20), made(10, (_, labels) => (labels[3] = 0)), {}, ['labels']],
    ['the seed of the split', made(20), made(10), { splitSeed: 2 }, ['split']],
    ['the fraction', made(20), made(10), { fraction: 0.5 }, ['split']],
    ['validation', made(20), made(10), { validation: 6 }, ['split']],
  ])('%s', async (_, train, test, split, expected) => {
    expect(await differences(whole, dataset(train, test), split)).toEqual(expected);
  });
});

describe('image files', () => {
  /** Files that nobody decodes. */
  async function folder(change: (root: string) => void = () => undefined): Promise<LoadedDataset> {
    const root = temporaryFolder();
    for (const split of ['train', 'test']) {
      for (const name of classes) {
        mkdirSync(join(root, split, name), { recursive: true });
        for (let index = 0; index < 10; index++) {
          writeFileSync(join(root, split, name, `${index}.png`), `${split} ${name} ${index}`);
        }
      }
    }
    change(root);
    const { train, test } = await readImageFolder(root, { size: 8, cacheBytes: 0 });
    return { ...dataset(train, test), name: 'image-folder', classes: train.classes };
  }

  test('have the same fingerprint wherever they lie', async () => {
    expect(await differences(await folder(), await folder())).toEqual([]);
  });

  test.each<[string, (root: string) => void, string[]]>([
    ['another content', (root) => writeFileSync(join(root, 'train/cat/3.png'), 'train cat x'), ['images']],
    ['another size', (root) => writeFileSync(join(root, 'test/dog/9.png'), 'longer than before'), ['images']],
    [
      'another name',
      (root) => renameSync(join(root, 'train/cat/3.png'), join(root, 'train/cat/3a.png')),
      ['images'],
    ],
    [
      'another class',
      (root) => renameSync(join(root, 'train/dog/9.png'), join(root, 'train/cat/99.png')),
      ['images', 'labels'],
    ],
  ])('%s is found', async (_, change, expected) => {
    expect(await differences(await folder(), await folder(change))).toEqual(expected);
  });
});
