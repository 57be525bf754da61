import { expectedGradients } from '@destillml/trainer/explain/expected-gradients.ts';
import { additivity } from '@destillml/trainer/explain/methods.ts';
import { openProbe, type Probe } from '@destillml/trainer/explain/probe.ts';
import { describe, expect, it } from 'vitest';
import { distance, filledExplained, imagesOf, reference, valuesOf } from './reference.ts';

/** Sum over channels. */
function summed(attributions: Float32Array): Float32Array {
  return Float32Array.from(
    { length: attributions.length / 3 },
    (_, pixel) => attributions[3 * pixel]! + attributions[3 * pixel + 1]! + attributions[3 * pixel + 2]!,
  );
}

describe.each(reference.expectedGradients)(
  '$name, $backgrounds backgrounds, against a dense quadrature and shap’s sampling in PyTorch',
  ({ name, salt, backgrounds, samples, target, difference, exact, shap, shapError }) => {
    it('is nearer to the exact map than as many samples of shap, and adds up', async () => {
      const [image, ...others] = imagesOf({ imageSize: 32, batch: backgrounds + 1, salt });
      const probe = openProbe(filledExplained({ name, imageSize: 32 }), { gradients: true, gradCam: false });
      const settings = { target, backgrounds: others, samples, seed: 1 };
      const found = summed(await expectedGradients(probe, image!, settings));
      probe.dispose();

      const error = distance(found, valuesOf(exact));
      expect(error).toBeLessThan(shapError);
      expect(error).toBeLessThan(0.1);
      // Both are the exact map and their own errors.
      expect(distance(found, valuesOf(shap))).toBeLessThan(1.5 * (error + shapError));
      expect(additivity(found, difference, 0.002).holds).toBe(true);
    });
  },
);

describe('expectedGradients', () => {
  /** Of a network whose logit is the sum of the pixels: the gradient is 1 everywhere. */
  const probe: Probe = {
    classes: 1,
    size: 1,
    gradCamCells: [1, 1],
    logits: () => Promise.reject(new Error('not asked')),
    async gradients({ count }, take) {
      for (let index = 0; index < count; index++) take(index, new Float32Array(3).fill(1));
    },
    gradCam: () => Promise.reject(new Error('not asked')),
    dispose: () => undefined,
  };
  const backgrounds = [0, 3, 6].map((value) => new Float32Array(3).fill(value));
  const explained = (samples: number) =>
    expectedGradients(probe, new Float32Array(3).fill(5), { target: 0, backgrounds, samples, seed: 1 });

  it.each([3, 4, 5, 200])('weighs three backgrounds alike with %i samples', async (samples) => {
    for (const attribution of await explained(samples))
      expect(attribution).toBeCloseTo(5 - (0 + 3 + 6) / 3, 5);
  });

  it('refuses fewer samples than backgrounds', async () => {
    await expect(explained(2)).rejects.toThrow('2 samples are fewer than the 3 backgrounds');
  });
});

describe('additivity', () => {
  const map = Float32Array.of(0.5, -0.25, 1);

  it('states the sum, what it should be and how far it is off, relative to the size of the attributions', () => {
    expect(additivity(map, 1.25, 0.01)).toEqual({ sum: 1.25, difference: 1.25, error: 0, holds: true });
    expect(additivity(map, 1.6, 0.1)).toMatchObject({ error: expect.closeTo(0.2, 6), holds: false });
    expect(additivity(map, 1.6, 0.25)).toMatchObject({ holds: true });
    expect(additivity(new Float32Array(3), 0, 0)).toMatchObject({ error: 0, holds: true });
  });
});
