import { inMemory, type LoadedDataset } from '@destillml/trainer/data/dataset.ts';
import { describeDataset } from '@destillml/trainer/data/describe.ts';
import { describe, expect, it } from 'vitest';

const classes = ['dark', 'light'];
const pixels = (...values: readonly number[]) =>
  Uint8Array.from(values.flatMap((value) => [value, value * 2, 255]));
const loaded: LoadedDataset = {
  name: 'image-folder',
  classes,
  train: inMemory(pixels(0, 100, 20, 120), 1, Int32Array.of(0, 1, 0, 1), classes),
  test: inMemory(pixels(5), 1, Int32Array.of(1), classes),
  origin: '/data/x',
  notes: ['checked'],
};
const split = { train: Uint32Array.of(0, 1), validation: Uint32Array.of(2, 3) };

describe('describeDataset', () => {
  it('counts each split by class and measures the channels of the images used for training', async () => {
    const description = await describeDataset(loaded, split);
    expect(description).toMatchObject({
      name: 'image-folder',
      origin: '/data/x',
      notes: ['checked'],
      classes,
      imageSize: 1,
      splits: [
        { name: 'train', images: 2, perClass: [1, 1] },
        { name: 'validation', images: 2, perClass: [1, 1] },
        { name: 'test', images: 1, perClass: [0, 1] },
      ],
    });
    const rounded = (values: readonly number[]) => values.map((value) => Math.round(value * 255 * 1e6) / 1e6);
    expect(rounded(description.channelMean)).toEqual([50, 100, 255]);
    expect(rounded(description.channelDeviation)).toEqual([50, 100, 0]);
  });

  it('finds an image of any split that cannot be decoded', async () => {
    for (const bad of [0, 3]) {
      const read = async (indices: ArrayLike<number>) => {
        if (Array.from(indices).includes(bad)) throw new Error(`image ${bad} is broken`);
      };
      const broken = { ...loaded, train: { ...loaded.train, read } };
      await expect(describeDataset(broken, split)).rejects.toThrow(`image ${bad} is broken`);
    }
  });
});
