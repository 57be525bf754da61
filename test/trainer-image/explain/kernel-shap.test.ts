import { coalitions, shapleyValues } from '@destillml/trainer/explain/kernel-shap.ts';
import { openProbe } from '@destillml/trainer/explain/probe.ts';
import { masked } from '@destillml/trainer/explain/superpixels.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distance, filledExplained, imagesOf, reference, relativeError, segmentsOf } from './reference.ts';

describe.each(reference.kernelShap)(
  '$name, $players superpixels, against the definition and shap',
  (expected) => {
    it('has the Shapley values', async () => {
      const [image] = imagesOf({ imageSize: 32, batch: 1, salt: expected.salt });
      const background = Float32Array.from(image!, (_, index) => expected.background[index % 3]!);
      const probe = openProbe(filledExplained({ name: expected.name, imageSize: 32 }), {
        gradients: false,
        gradCam: false,
      });
      const asked = coalitions(expected.players, expected.samples, 1);
      const segments = segmentsOf(expected.segments);
      const logits = await probe.logits(masked(image!, background, segments, asked.masks));
      probe.dispose();
      const values = Array.from(
        { length: asked.masks.rows },
        (_, row) => logits[row * 100 + expected.target]!,
      );
      const found = shapleyValues(asked, values, expected.empty, expected.full);

      const every = 2 ** expected.players - 2;
      const isComplete = expected.samples >= every;
      if (isComplete) {
        expect(asked.masks.rows).toBe(every);
        expect(relativeError(found, expected.exact)).toBeLessThan(1e-3);
        expect(relativeError(found, expected.shap)).toBeLessThan(1e-3);
      } else {
        expect(asked.masks.rows).toBeLessThanOrEqual(expected.samples);
        // Sampled: as near to the exact values as shap with as many samples, give or take.
        const error = distance(expected.shap, expected.exact);
        expect(distance(found, expected.exact)).toBeLessThan(2 * error);
        expect(error).toBeLessThan(0.2);
      }
    });
  },
);

describe('coalitions', () => {
  it('are all there are, weighted by the kernel, where samples suffice', () => {
    const { masks, weights } = coalitions(4, 100, 1);
    expect(masks.rows).toBe(14);
    const kernel = [...weights.keys()].map((row) => {
      const size = masks.values.subarray(row * 4, row * 4 + 4).reduce((sum, shown) => sum + shown, 0);
      // (n − 1) / (C(n, s) s (n − s))
      return { 1: 3 / (4 * 3), 2: 3 / (6 * 4), 3: 3 / (4 * 3) }[size]!;
    });
    const total = kernel.reduce((sum, weight) => sum + weight, 0);
    expect(
      relativeError(
        weights,
        kernel.map((weight) => weight / total),
      ),
    ).toBeLessThan(1e-12);
  });

  it('leave out nobody, and hold no coalition twice, whatever the numbers', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), fc.integer({ min: 1, max: 500 }), (players, samples) => {
        const { masks, weights } = coalitions(players, samples, 5);
        const rows = Array.from({ length: masks.rows }, (_, row) =>
          masks.values.subarray(row * players, (row + 1) * players).join(''),
        );
        expect(new Set(rows).size).toBe(rows.length);
        expect(rows.every((row) => row.includes('0') && row.includes('1'))).toBe(true);
        expect(rows.length).toBeLessThanOrEqual(Math.max(samples, 2 * players));
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
        // What each player adds is found, as in any game in which they only add up.
        const values = rows.map((row) =>
          [...row].reduce((sum, shown, player) => sum + Number(shown) * player, 3),
        );
        const full = 3 + (players * (players - 1)) / 2;
        const found = shapleyValues({ masks, weights }, values, 3, full);
        expect(
          relativeError(
            found,
            Array.from({ length: players }, (_, player) => player),
          ),
        ).toBeLessThan(1e-6);
      }),
      { numRuns: 40 },
    );
  });

  it('of one superpixel: it has the whole difference', () => {
    expect([...shapleyValues(coalitions(1, 10, 1), [], 2, 5)]).toEqual([3]);
  });
});
