import { contactSheet, imageRows } from '@destillml/trainer/data/contact-sheet.ts';
import { inMemory } from '@destillml/trainer/data/dataset.ts';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { shown } from '../../../src/text/shown.ts';
import { hostileNames, plainNames } from '../../src/text/hostile.ts';

async function decoded(png: Buffer) {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) => [
    ...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3),
  ];
  return { width: info.width, height: info.height, channels: info.channels, at };
}

describe('contactSheet', () => {
  // Image i has the grey value 10 · i; labels alternate.
  const set = inMemory(
    Uint8Array.from({ length: 6 * 768 }, (_, i) => Math.floor(i / 768) * 10),
    16,
    Int32Array.of(0, 1, 0, 1, 0, 1),
    ['a', 'b'],
  );

  it('shows the first images of each class in a row, small ones enlarged', async () => {
    const sheet = await decoded(await contactSheet(set, { perClass: 2, classes: 10 }));
    // 16 px images are shown fourfold: cells of 64 px, 4 px apart; names take the rest.
    expect([sheet.height, sheet.channels]).toEqual([2 * 68 + 4, 3]);
    const left = sheet.width - 2 * 68 - 4;
    const centres = [36, 104].map((y) => [36, 104].map((x) => sheet.at(left + x - 4, y)[0]));
    expect(centres).toEqual([
      [0, 20],
      [10, 30],
    ]);
    expect(sheet.at(left - 1, 36)).toEqual([255, 255, 255]);
    expect(sheet.at(left, 4)).toEqual([0, 0, 0]);
    expect(sheet.at(left + 63, 67)).toEqual([0, 0, 0]);
    expect(sheet.at(left + 64, 67)).toEqual([255, 255, 255]);
  });

  it('shows only as many classes as asked for', async () => {
    expect((await decoded(await contactSheet(set, { perClass: 1, classes: 1 }))).height).toBe(72);
  });
});

describe('imageRows', () => {
  it('stands more than 25 rows side by side, and takes names as they are', async () => {
    const rows = Array.from({ length: 30 }, (_, i) => ({
      name: `<b>&"${i}`,
      images: new Uint8Array(2 * 12),
    }));
    const one = await decoded(await imageRows(rows.slice(0, 25), 2));
    const two = await decoded(await imageRows(rows, 2));
    expect(two.height).toBe(one.height);
    expect(two.width).toBe(2 * one.width);
  });

  it.each([...hostileNames, ...plainNames].map((name) => [shown(name), name]))(
    'is drawn whatever a class is called: %s',
    async (_, name = '') => {
      for (const each of [name, `${'🐈'.repeat(11)}x${name}`]) {
        const sheet = await decoded(await imageRows([{ name: each, images: new Uint8Array(12) }], 2));
        expect(sheet.height).toBe(72);
      }
    },
  );
});
