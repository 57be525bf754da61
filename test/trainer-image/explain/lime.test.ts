import { fitLocalModel, limeDefaults, limeMasks } from '@destillml/trainer/explain/lime.ts';
import { openProbe } from '@destillml/trainer/explain/probe.ts';
import { probabilities } from '@destillml/trainer/explain/softmax.ts';
import { masked, meanColours } from '@destillml/trainer/explain/superpixels.ts';
import { describe, expect, it } from 'vitest';
import { filledExplained, grid, imagesOf, masksOf, reference, relativeError } from './reference.ts';

const tolerance = 1e-3;

describe.each(reference.lime)('$name, against lime with the same superpixels and samples', (expected) => {
  it('has the same coefficients, intercept and R²', async () => {
    const [image] = imagesOf({ imageSize: 32, batch: 1, salt: expected.salt });
    const segments = grid(expected.side);
    const masks = masksOf(expected.masks);
    const probe = openProbe(filledExplained({ name: expected.name, imageSize: 32 }), {
      gradients: false,
      gradCam: false,
    });
    const logits = await probe.logits(masked(image!, meanColours(image!, segments), segments, masks));
    probe.dispose();

    const model = fitLocalModel(masks, probabilities(logits, 100, expected.target), limeDefaults);
    expect(relativeError(model.coefficients, expected.coefficients)).toBeLessThan(tolerance);
    expect(Math.abs(model.intercept / expected.intercept - 1)).toBeLessThan(tolerance);
    expect(Math.abs(model.r2 - expected.r2)).toBeLessThan(tolerance);
  });
});

describe('fitLocalModel', () => {
  const masks = limeMasks(6, 400, 1);
  const linear = (coefficients: readonly number[]) =>
    Float64Array.from({ length: masks.rows }, (_, row) =>
      coefficients.reduce((sum, value, i) => sum + value * masks.values[row * 6 + i]!, 0.2),
    );

  it('finds evidence for and against the class in a model that is linear', () => {
    const model = fitLocalModel(masks, linear([0.3, -0.2, 0, 0.1, 0, 0]), { kernelWidth: 0.25, ridge: 1e-9 });
    expect(relativeError(model.coefficients, [0.3, -0.2, 0, 0.1, 0, 0])).toBeLessThan(1e-6);
    expect(model.intercept).toBeCloseTo(0.2, 6);
    expect(model.r2).toBeCloseTo(1, 9);
  });

  it('has no evidence, and explains all, where the probability never changes', () => {
    const model = fitLocalModel(masks, linear([0, 0, 0, 0, 0, 0]), limeDefaults);
    expect(Math.max(...model.coefficients.map(Math.abs))).toBeLessThan(1e-15);
    expect(model.r2).toBeLessThanOrEqual(1);
  });

  it('explains little where superpixels only count together', () => {
    const parity = Float64Array.from({ length: masks.rows }, (_, row) =>
      masks.values.subarray(row * 6, row * 6 + 6).reduce((sum, shown) => (sum + shown) % 2, 0),
    );
    expect(fitLocalModel(masks, parity, { kernelWidth: 25, ridge: 1 }).r2).toBeLessThan(0.1);
  });
});

describe('limeMasks', () => {
  it('shows everything first, then about half, the same for one seed', () => {
    const { values } = limeMasks(20, 500, 3);
    expect([...values.subarray(0, 20)]).toEqual(Array(20).fill(1));
    const share = values.subarray(20).reduce((sum, shown) => sum + shown, 0) / (499 * 20);
    expect(share).toBeGreaterThan(0.48);
    expect(share).toBeLessThan(0.52);
    expect(limeMasks(20, 500, 3).values).toEqual(values);
    expect(limeMasks(20, 500, 4).values).not.toEqual(values);
  });
});
