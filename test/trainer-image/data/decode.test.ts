import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeFile, resize } from '@destillml/trainer/data/decode.ts';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './made-files.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/image-decoding');

function differences(a: Uint8Array, b: Uint8Array) {
  const each = Array.from(a, (value, i) => Math.abs(value - (b[i] ?? Number.NaN)));
  return { largest: Math.max(...each), mean: each.reduce((sum, value) => sum + value, 0) / each.length };
}

describe('decodeFile', () => {
  // Values of 0 – 255. libvips halves images before the filter where they shrink more than fourfold.
  it.each([
    ['wide.jpg', 2, 0.35],
    ['tall.png', 2, 0.35],
    ['small.png', 1, 0.35],
    ['grey.jpg', 2, 0.35],
    ['transparent.png', 2, 0.35],
    ['palette.png', 2, 0.35],
    ['rotated.jpg', 2, 0.35],
    ['large.jpg', 6, 1.5],
  ])('agrees with torchvision on %s to %d, on average to %d', async (name, largest, mean) => {
    const expected = readFileSync(join(fixtures, `${name}.rgb`));
    const found = differences(await decodeFile(join(fixtures, name), 32), expected);
    expect(found.largest).toBeLessThanOrEqual(largest);
    expect(found.mean).toBeLessThanOrEqual(mean);
  });

  it('reads 16-bit grey as three channels of 8 bits', async () => {
    const path = join(await temporaryFolder(), 'deep.png');
    const grey = sharp({ create: { width: 50, height: 50, channels: 3, background: '#808080' } });
    await writeFile(path, await grey.toColourspace('grey16').png().toBuffer());
    expect((await sharp(path).metadata()).depth).toBe('ushort');
    const decoded = await decodeFile(path, 32);
    expect(decoded.length).toBe(32 * 32 * 3);
    expect(differences(decoded, new Uint8Array(32 * 32 * 3).fill(128)).largest).toBeLessThanOrEqual(1);
  });

  it.each<[string, (file: Buffer) => Buffer]>([
    ['cut short', (file) => file.subarray(0, file.length - 700)],
    ['empty', () => Buffer.alloc(0)],
    ['not an image', () => Buffer.from('GIF? no.')],
  ])('names a file that is %s', async (_, change) => {
    for (const name of ['wide.jpg', 'tall.png']) {
      const path = join(await temporaryFolder(), name);
      await writeFile(path, change(readFileSync(join(fixtures, name))));
      const error = await decodeFile(path, 32).catch((refused) => refused);
      expect(error.code).toBe('DatasetCorrupt');
      expect(error.message).toMatch(
        /\.(jpg|png): cannot be decoded as an image: .*\. Replace the file or remove it\.$/s,
      );
      expect(error.message).toContain(path);
      expect(error.message).not.toContain('\n');
    }
  });
});

describe('resize', () => {
  it('enlarges with pixel centres at halves', async () => {
    // PIL's BILINEAR of [0, 80, 160, 240] to 8 pixels.
    const ramp = Uint8Array.from({ length: 4 * 4 * 3 }, (_, i) => (Math.floor(i / 3) % 4) * 80);
    const wide = await resize(ramp, 4, 8);
    const firstRow = Array.from({ length: 8 }, (_, column) => wide[column * 3]);
    expect(firstRow).toEqual([0, 20, 60, 100, 140, 180, 220, 240]);
  });

  it('keeps an even colour when it reduces', async () => {
    expect(await resize(new Uint8Array(32 * 32 * 3).fill(77), 32, 16)).toEqual(Buffer.alloc(16 * 16 * 3, 77));
  });
});
