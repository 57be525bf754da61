import { join } from 'node:path';
import { quickshift } from '@destillml/trainer/explain/quickshift.ts';
import { segment } from '@destillml/trainer/explain/segmentation.ts';
import { slic } from '@destillml/trainer/explain/slic.ts';
import { type Segments, sizesOf } from '@destillml/trainer/explain/superpixels.ts';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { adjustedRandIndex, fixtures, reference, segmentsOf } from './reference.ts';

async function photo(size: number): Promise<Uint8Array> {
  const file = join(fixtures, `explain-photo-${size}.${size === 32 ? 'png' : 'jpg'}`);
  return new Uint8Array(await sharp(file).removeAlpha().raw().toBuffer());
}

/** Whether every superpixel is one piece, its pixels touching along sides. */
function areConnected({ labels, count }: Segments, size: number): boolean {
  const seen = new Uint8Array(labels.length);
  let pieces = 0;
  for (let first = 0; first < labels.length; first++) {
    if (seen[first]) continue;
    pieces++;
    const queue = [first];
    for (let pixel = queue.pop(); pixel !== undefined; pixel = queue.pop()) {
      if (seen[pixel]) continue;
      seen[pixel] = 1;
      const column = pixel % size;
      for (const next of [
        column > 0 ? pixel - 1 : -1,
        column < size - 1 ? pixel + 1 : -1,
        pixel - size,
        pixel + size,
      ]) {
        if (labels[next] === labels[first]) queue.push(next);
      }
    }
  }
  return pieces === count;
}

describe.each(reference.segmentation)('a photo of $imageSize px, against scikit-image', (expected) => {
  const size = expected.imageSize;

  it('is decoded to the same pixels', async () => {
    expect((await photo(size)).reduce((sum, value) => sum + value, 0)).toBe(expected.pixelSum);
  });

  it('has the same SLIC superpixels: adjusted Rand index above 0.99', async () => {
    const segments = size === 32 ? 36 : 64;
    const found = slic(await photo(size), size, { segments, compactness: 10 });
    expect(adjustedRandIndex(found.labels, segmentsOf(expected.slic).labels)).toBeGreaterThan(0.99);
  });

  it('has the same quickshift superpixels: adjusted Rand index above 0.95', async () => {
    const [kernelSize, maxDistance] = size === 32 ? [1, 4] : [4, 200];
    const found = quickshift(await photo(size), size, { kernelSize, maxDistance, ratio: 0.2 });
    const index = adjustedRandIndex(found.labels, segmentsOf(expected.quickshift).labels);
    // Noise that breaks ties is scikit-image's own; on these photos it decides nothing.
    expect(expected.quickshiftAlike).toBe(1);
    expect(index).toBeGreaterThan(0.95);
  });

  it('gives the adjusted Rand index that scikit-learn gives', () => {
    const [one, other] = [segmentsOf(expected.slic), segmentsOf(expected.quickshift)];
    expect(adjustedRandIndex(one.labels, other.labels)).toBeCloseTo(expected.randIndex, 9);
  });
});

describe('segment', () => {
  it.each([
    [32, 'slic'],
    [32, 'quickshift'],
    [224, 'slic'],
    [224, 'quickshift'],
  ] as const)('divides %i px by %s into some dozens of superpixels, none a speck', async (size, name) => {
    const found = segment(await photo(size), size, name);
    const sizes = sizesOf(found);
    expect(found.count).toBeGreaterThanOrEqual(16);
    expect(found.count).toBeLessThanOrEqual(150);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(size ** 2 / 256);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(size ** 2 / 3);
    if (name === 'slic') expect(areConnected(found, size)).toBe(true);
  });

  it.each(['slic', 'quickshift'] as const)('divides one flat colour by %s, too', (name) => {
    const found = segment(new Uint8Array(32 * 32 * 3), 32, name);
    expect(found.count).toBeGreaterThanOrEqual(16);
    expect(Math.min(...sizesOf(found))).toBeGreaterThanOrEqual(4);
  });

  it('keeps to edges: halves of an image share no superpixel', () => {
    const halves = Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) =>
      Math.floor(i / 3) % 32 < 13 ? 20 : 220,
    );
    for (const name of ['slic', 'quickshift'] as const) {
      const { labels } = segment(halves, 32, name);
      const left = new Set(labels.filter((_, pixel) => pixel % 32 < 13));
      expect(labels.some((label, pixel) => pixel % 32 >= 13 && left.has(label))).toBe(false);
    }
  });

  it('is the same every time', async () => {
    const pixels = await photo(32);
    expect(segment(pixels, 32, 'quickshift')).toEqual(segment(pixels, 32, 'quickshift'));
  });
});
