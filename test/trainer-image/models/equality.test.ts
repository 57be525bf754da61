import { countFlops } from '@destillml/trainer/models/flops.ts';
import type { Network } from '@destillml/trainer/models/network.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fnv1a, summary } from './filled.ts';
import { cases, classes, compute, describeVariable, filledNetwork } from './reference.ts';

/** Relative; PyTorch's own single precision is up to 2e-5 away from its double precision here. */
const tolerance = 1e-4;

describe.each(cases)('$name at $imageSize px, against PyTorch with the same weights', (expected) => {
  let network: Network;
  let found: Record<string, Float32Array>;

  beforeAll(() => {
    network = filledNetwork(expected);
    found = compute(network, expected);
  });
  afterAll(() => network.variables.dispose());

  test('has the same variables, parameters and floating-point operations', () => {
    const { all, trainable } = network.variables;
    const described = all.map(describeVariable).sort();
    expect(fnv1a(described.join('\n'))).toBe(expected.variables);
    expect(trainable.reduce((sum, { variable }) => sum + variable.size, 0)).toBe(expected.parameters);
    expect(countFlops(network, expected.imageSize)).toBe(expected.flops);
  });

  test.each([
    ['inference', 'inferenceLogits'],
    ['training', 'trainingLogits'],
  ] as const)('gives the same logits in %s', (mode, key) => {
    const logits = found[`${mode}.logits`]!;
    const largest = Math.max(...logits.map(Math.abs));
    const errors = expected[key].flatMap((row, image) =>
      row.map((logit, column) => Math.abs(logits[image * classes + column]! - logit) / largest),
    );
    expect(errors).toHaveLength(10 * expected.batch);
    expect(Math.max(...errors)).toBeLessThan(tolerance);
  });

  test('gives the same stages, gradients and running statistics', () => {
    const names = Object.keys(found).sort();
    expect(names).toHaveLength(expected.summaries.length);
    const errors = names.map((name, index) => {
      const [norm, projection] = expected.summaries[index]!;
      const [ourNorm, ourProjection] = summary(name, found[name]!);
      // A gradient of 0, as of a bias before a normalisation, is rounding: small beside the whole gradient.
      const scale = norm === 0 ? 0.1 * expected.gradientNorm : norm;
      return {
        name,
        error: Math.max(Math.abs(ourNorm - norm), Math.abs(ourProjection - projection)) / scale,
      };
    });
    expect(errors.filter(({ error }) => !(error < tolerance))).toEqual([]);
  });
});
