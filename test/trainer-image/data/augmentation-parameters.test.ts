import { readFileSync } from 'node:fs';
import type { Augmentation } from '@destillml/core/api/dataset.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AugmentationParameters,
  drawParameters,
  parametersOf,
  toColour,
  toTransform,
  wholeImage,
} from '../../../trainer-image/data/augmentation-parameters.ts';

const study: Augmentation = {
  horizontalFlip: 0.5,
  crop: { padding: 4 },
  colorJitter: { brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 },
  rotation: 15,
  resizedCrop: { scale: [0.8, 1], ratio: [0.9, 1.1] },
};
const none: AugmentationParameters = {
  flip: false,
  crop: { left: 0, top: 0 },
  brightness: 1,
  contrast: 1,
  saturation: 1,
  hue: 0,
  angle: 0,
  box: wholeImage(32),
};
const counter = fc.nat(1_000_000);
const range = (min: number, max: number) =>
  fc
    .tuple(fc.double({ min, max, noNaN: true }), fc.double({ min, max, noNaN: true }))
    .map((pair) => pair.sort((a, b) => a - b));

const draws = (augmentation: Augmentation, count: number, size = 32) =>
  Array.from({ length: count }, (_, index) => drawParameters(augmentation, size, 7, 3, index));

/** −0 as 0. */
const unsigned = (value: number) => value + 0;

function moments(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}

describe('drawParameters', () => {
  it('depends on seed, epoch and index, on each of them', () => {
    const drawn = drawParameters(study, 32, 42, 5, 1234);
    expect(drawParameters(study, 32, 42, 5, 1234)).toEqual(drawn);
    expect(drawParameters(study, 32, 43, 5, 1234)).not.toEqual(drawn);
    expect(drawParameters(study, 32, 42, 6, 1234)).not.toEqual(drawn);
    expect(drawParameters(study, 32, 42, 5, 1235)).not.toEqual(drawn);
  });

  it('draws nothing for an empty augmentation', () => {
    expect(drawParameters({}, 32, 1, 2, 3)).toEqual(none);
  });

  it('draws each transformation alike whatever the others are', () => {
    const all = drawParameters(study, 32, 42, 0, 9);
    const { rotation, colorJitter } = study;
    expect(drawParameters({ rotation, colorJitter }, 32, 42, 0, 9)).toEqual({
      ...all,
      flip: false,
      crop: { left: 0, top: 0 },
      box: wholeImage(32),
    });
  });

  it('keeps within the ranges asked for', () => {
    const size = fc.integer({ min: 16, max: 256 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const spec = fc.record({
      crop: fc.record({ padding: fc.nat(64) }),
      colorJitter: fc.record({
        brightness: share,
        contrast: share,
        saturation: share,
        hue: fc.double({ min: 0, max: 0.5, noNaN: true }),
      }),
      rotation: fc.double({ min: 0, max: 180, noNaN: true }),
      resizedCrop: fc.record({ scale: range(0.01, 1), ratio: range(0.1, 10) }),
    });
    fc.assert(
      fc.property(spec, size, counter, counter, counter, (augmentation, side, seed, epoch, index) => {
        const drawn = drawParameters(augmentation, side, seed, epoch, index);
        const { padding } = augmentation.crop;
        for (const offset of [drawn.crop.left, drawn.crop.top]) {
          expect(Number.isInteger(offset)).toBe(true);
          expect(Math.abs(offset)).toBeLessThanOrEqual(padding);
        }
        for (const name of ['brightness', 'contrast', 'saturation'] as const) {
          const v = augmentation.colorJitter[name];
          expect(drawn[name]).toBeGreaterThanOrEqual(Math.max(0, 1 - v));
          expect(drawn[name]).toBeLessThanOrEqual(1 + v);
        }
        expect(Math.abs(drawn.hue)).toBeLessThanOrEqual(augmentation.colorJitter.hue);
        expect(Math.abs(drawn.angle)).toBeLessThanOrEqual(augmentation.rotation);
        const { left, top, width, height } = drawn.box;
        expect([left, top, width, height].every(Number.isInteger)).toBe(true);
        expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
        expect(Math.min(width, height)).toBeGreaterThan(0);
        expect(Math.max(left + width, top + height)).toBeLessThanOrEqual(side);
      }),
    );
  });

  it('flips the share of images asked for', () => {
    const flipped = (horizontalFlip: number) =>
      draws({ horizontalFlip }, 10_000).filter(({ flip }) => flip).length;
    expect(flipped(0)).toBe(0);
    expect(flipped(1)).toBe(10_000);
    expect(flipped(0.3) / 10_000).toBeCloseTo(0.3, 1);
  });

  it('draws crops, factors, hues and angles evenly over their ranges', () => {
    const drawn = draws(study, 20_000);
    const evenly = (values: readonly number[], low: number, high: number) => {
      const { mean, deviation } = moments(values);
      expect(Math.abs(mean - (low + high) / 2)).toBeLessThan((high - low) * 0.01);
      expect(Math.abs(deviation - (high - low) / Math.sqrt(12))).toBeLessThan((high - low) * 0.01);
    };
    evenly(
      drawn.map(({ brightness }) => brightness),
      0.8,
      1.2,
    );
    evenly(
      drawn.map(({ contrast }) => contrast),
      0.8,
      1.2,
    );
    evenly(
      drawn.map(({ saturation }) => saturation),
      0.8,
      1.2,
    );
    evenly(
      drawn.map(({ hue }) => hue),
      -0.1,
      0.1,
    );
    evenly(
      drawn.map(({ angle }) => angle),
      -15,
      15,
    );
    // Nine whole numbers, each the middle of its ninth of this range.
    evenly(
      drawn.map(({ crop }) => crop.left),
      -4.5,
      4.5,
    );
    evenly(
      drawn.map(({ crop }) => crop.top),
      -4.5,
      4.5,
    );
    const counts = new Map<number, number>();
    for (const { crop } of drawn) counts.set(crop.left, (counts.get(crop.left) ?? 0) + 1);
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-4, -3, -2, -1, 0, 1, 2, 3, 4]);
  });

  it("draws boxes with the mean and deviation of torchvision's, its fallback included", () => {
    const { boxes } = JSON.parse(
      readFileSync(new URL('../../fixtures/augmentation.json', import.meta.url), 'utf8'),
    ) as {
      boxes: {
        scale: number[];
        ratio: number[];
        mean: Record<'left' | 'top' | 'width' | 'height', number>;
        deviation: Record<'left' | 'top' | 'width' | 'height', number>;
      }[];
    };
    for (const { scale, ratio, mean, deviation } of boxes) {
      const drawn = draws({ resizedCrop: { scale, ratio } }, 20_000).map(({ box }) => box);
      for (const side of ['left', 'top', 'width', 'height'] as const) {
        const found = moments(drawn.map((box) => box[side]));
        // Five standard errors of the difference of two means of 20,000.
        expect(Math.abs(found.mean - mean[side])).toBeLessThanOrEqual(deviation[side] * 0.05);
        expect(Math.abs(found.deviation - deviation[side])).toBeLessThanOrEqual(deviation[side] * 0.05);
      }
    }
  });
});

describe('parametersOf', () => {
  it('gives an image the same parameters in any batch and any place', () => {
    const indices = fc.uniqueArray(fc.nat(60_000), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(indices, counter, counter, (batch, seed, epoch) => {
        const together = parametersOf(study, 32, seed, epoch, Uint32Array.from(batch));
        batch.forEach((index, place) => {
          const single = parametersOf(study, 32, seed, epoch, [index]);
          expect(together.transforms.subarray(place * 8, place * 8 + 8)).toEqual(single.transforms);
          expect(together.colours.subarray(place * 10, place * 10 + 10)).toEqual(single.colours);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('gives the identity for an empty augmentation', () => {
    const { transforms, colours } = parametersOf({}, 32, 1, 1, [5]);
    expect(transforms.map(unsigned)).toEqual(Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0));
    expect(colours).toEqual(Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 0));
  });
});

describe('toTransform', () => {
  it('reads a flipped image from its other end', () => {
    expect(toTransform({ ...none, flip: true }, 32).map(unsigned)).toEqual([-1, 0, 31, 0, 1, 0, 0, 0]);
  });

  it('turns anticlockwise about the middle of the image', () => {
    const [a0, a1, a2, b0, b1, b2] = toTransform({ ...none, angle: 90 }, 32);
    const at = (x: number, y: number) => [a0 * x + a1 * y + a2, b0 * x + b1 * y + b2];
    // What is on the left came from the top.
    expect(at(0, 15.5)[0]).toBeCloseTo(15.5, 10);
    expect(at(0, 15.5)[1]).toBeCloseTo(0, 10);
  });

  it('maps the edges of the output to the edges of the box', () => {
    const box = { left: 4, top: 6, width: 16, height: 8 };
    const [a0, a1, a2, b0, b1, b2] = toTransform({ ...none, box }, 32);
    expect([a0 * -0.5 + a2, a0 * 31.5 + a2, unsigned(a1)]).toEqual([3.5, 19.5, 0]);
    expect([b1 * -0.5 + b2, b1 * 31.5 + b2, b0]).toEqual([5.5, 13.5, 0]);
  });
});

describe('toColour', () => {
  it('keeps greys grey under saturation and hue', () => {
    const factor = fc.double({ min: 0, max: 2, noNaN: true });
    const turns = fc.double({ min: -0.5, max: 0.5, noNaN: true });
    fc.assert(
      fc.property(factor, turns, (saturation, hue) => {
        const map = toColour({ ...none, saturation, hue });
        for (let row = 0; row < 3; row++) {
          // torchvision's weights of the grey level add up to 0.9999.
          expect(Math.abs(map[row * 3]! + map[row * 3 + 1]! + map[row * 3 + 2]! - 1)).toBeLessThan(2e-4);
        }
        expect(map[9]).toBe(0);
      }),
    );
  });

  it('takes all contrast away at factor 0: every pixel is the mean grey level', () => {
    expect(toColour({ ...none, contrast: 0 }).map(unsigned)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  });
});
