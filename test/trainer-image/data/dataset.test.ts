import { inMemory } from '@destillml/trainer/data/dataset.ts';
import { resized } from '@destillml/trainer/data/resized.ts';
import { describe, expect, it } from 'vitest';

const two = inMemory(
  Uint8Array.from({ length: 2 * 12 }, (_, i) => i),
  2,
  Int32Array.of(0, 1),
  ['a', 'b'],
);

describe('inMemory', () => {
  it('reads the images asked for, in that order', async () => {
    const target = new Uint8Array(36);
    await two.read([1, 0, 1], target);
    expect([...target.subarray(0, 13)]).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 0]);
    expect(target[24]).toBe(12);
  });

  it('refuses an image that does not exist and pixels that do not fit the labels', async () => {
    await expect(two.read([2], new Uint8Array(12))).rejects.toThrow('image 2 of 2 does not exist');
    await expect(two.read([-1], new Uint8Array(12))).rejects.toThrow(RangeError);
    expect(() => inMemory(new Uint8Array(13), 2, Int32Array.of(0), ['a'])).toThrow(RangeError);
  });
});

describe('resized', () => {
  it('gives the same images and labels at another size', async () => {
    const larger = resized(two, 4);
    expect([larger.size, larger.count, larger.labels]).toEqual([4, 2, two.labels]);
    const target = new Uint8Array(2 * 48);
    await larger.read([1, 0], target);
    // The corners of an enlarged image are those of the image.
    expect([target[0], target[47], target[48], target[95]]).toEqual([12, 23, 0, 11]);
  });

  it('is the set itself at its own size', () => {
    expect(resized(two, 2)).toBe(two);
  });
});
