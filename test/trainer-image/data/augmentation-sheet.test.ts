import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { augmentationSheet } from '../../../trainer-image/data/augmentation-sheet.ts';
import { imageRows } from '../../../trainer-image/data/contact-sheet.ts';

const size = 20;
const photo = new Uint8Array(
  await sharp(readFileSync(new URL('../../fixtures/augmentation-photo.png', import.meta.url)))
    .raw()
    .toBuffer(),
);
const examples = [
  { name: 'first', index: 0, image: photo },
  { name: 'second', index: 1, image: photo },
];

/** Pixels of a part of a PNG as text. */
async function pixels(png: Buffer, left: number, top: number, width: number, height: number) {
  const part = await sharp(png).extract({ left, top, width, height }).raw().toBuffer();
  return part.toString('hex');
}

describe('augmentationSheet', () => {
  it('shows originals alone where nothing is augmented', async () => {
    const options = { augmentation: {}, size, seed: 3, versions: 1 };
    const rows = examples.map(({ name }) => ({ name, images: new Uint8Array([...photo, ...photo]) }));
    expect(await augmentationSheet(examples, options)).toEqual(await imageRows(rows, size));
  });

  it('shows a row for each image: the original, then versions that differ by epoch and index', async () => {
    const options = { augmentation: { crop: { padding: 8 }, rotation: 45 }, size, seed: 3, versions: 2 };
    const sheet = await augmentationSheet(examples, options);
    const { width = 0 } = await sharp(sheet).metadata();
    const cell = 3 * size;
    const seen = await Promise.all(
      [0, 1].flatMap((row) =>
        [1, 2, 3].map((fromRight) =>
          pixels(sheet, width - fromRight * (cell + 4), 4 + row * (cell + 4), cell, cell),
        ),
      ),
    );
    // Twice the same original and four versions.
    expect(new Set(seen).size).toBe(5);
    expect(seen[2]).toBe(seen[5]);
  });
});
