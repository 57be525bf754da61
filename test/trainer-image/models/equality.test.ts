import { countFlops } from '@destillml/trainer/nn/flops.ts';
import { afterAll, describe, expect, test } from 'vitest';
import { fnv1a, summary } from './filled.ts';
import { batch, cases, classes, compute, describeVariable, filledNetwork } from './reference.ts';

const tolerance = 1e-4;

/**
 * Networks whose gradients are not compared yet: for the images of their fixtures an activation lies so near to a kink of
 * its ReLU that rounding decides on which side it is. Their logits, stages and statistics are compared.
 */
const withoutGradients: readonly string[] = ['resnet152', 'mobilenet-v2'];

describe.each(cases)('$name at $imageSize px, against PyTorch with the same weights', (expected) => {
  const network = filledNetwork(expected);
  const found = compute(network, expected);
  afterAll(() => network.variables.dispose());

  test('has the same variables, parameters and floating-point operations', () => {
    const { all, trainable } = network.variables;
    const described = all
      .map(describeVariable)
      .sort((a, b) => (a.split(':')[0]! < b.split(':')[0]! ? -1 : 1));
    expect(fnv1a(described.join('\n'))).toBe(expected.variables);
    expect(trainable.reduce((sum, { variable }) => sum + variable.size, 0)).toBe(expected.parameters);
    expect(countFlops(network, expected.imageSize)).toBe(expected.flops);
  });

  test('gives the same logits, in inference and in training', () => {
    for (const [name, logits] of [
      ['inference.logits', expected.inferenceLogits],
      ['training.logits', expected.trainingLogits],
    ] as const) {
      const rows = Array.from({ length: batch }, (_, row) =>
        found[name]!.subarray(row * classes, (row + 1) * classes),
      );
      const largest = Math.max(...rows.flatMap((row) => [...row].map(Math.abs)));
      logits.forEach((row, index) => {
        row.forEach((logit, column) => {
          expect(Math.abs(rows[index]![column]! - logit), name).toBeLessThan(tolerance * largest);
        });
      });
    }
  });

  test('gives the same stages, gradients and running statistics', () => {
    const sizes = expected.stageShapes.map((shape) => shape.reduce((size, side) => size * side, batch));
    expect(sizes).toEqual(sizes.map((_, index) => found[`inference.stage${index + 1}`]!.length));
    const names = Object.keys(found).sort();
    expect(names).toHaveLength(expected.summaries.length);
    const errors = names.map((name, index) => {
      const [norm, projection] = expected.summaries[index]!;
      const [ourNorm, ourProjection] = summary(name, found[name]!);
      // A gradient of 0 is only rounding here: of a bias before a normalisation.
      const scale = norm === 0 ? 0.1 * expected.gradientNorm : norm;
      return {
        name,
        error: Math.max(Math.abs(ourNorm - norm), Math.abs(ourProjection - projection)) / scale,
      };
    });
    const compared = withoutGradients.includes(expected.name)
      ? errors.filter(({ name }) => !name.startsWith('gradient.'))
      : errors;
    expect(compared.filter(({ error }) => !(error < tolerance))).toEqual([]);
  });
});
