import { countByClass, type ImageSet } from '@destillml/trainer/data/dataset.ts';
import { splitTrain } from '@destillml/trainer/data/splits.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** A set without pixels whose classes have these sizes, labels taking turns. */
function labelled(...sizes: readonly number[]): ImageSet {
  const left = [...sizes];
  const labels: number[] = [];
  while (left.some((count) => count > 0)) {
    left.forEach((count, label) => {
      if (count === 0) return;
      labels.push(label);
      left[label] = count - 1;
    });
  }
  return {
    size: 32,
    count: labels.length,
    classes: sizes.map((_, i) => `class${i}`),
    labels: Int32Array.from(labels),
    content: [],
    read: async () => undefined,
  };
}

function perClass(set: ImageSet, indices: Uint32Array): number[] {
  return [
    ...countByClass(
      Int32Array.from(indices, (i) => set.labels[i]!),
      set.classes.length,
    ),
  ];
}

const seed = { splitSeed: 42 };

describe('splitTrain', () => {
  it('gives every class the same number where the numbers divide', () => {
    const set = labelled(...Array<number>(10).fill(60));
    const { train, validation } = splitTrain(set, { validation: 50, fraction: 0.2, ...seed });
    expect(perClass(set, validation)).toEqual(Array(10).fill(5));
    expect(perClass(set, train)).toEqual(Array(10).fill(11));
  });

  it('gives exactly the number asked for where they do not divide, each class to within one image', () => {
    const set = labelled(...Array<number>(10).fill(60));
    const { train, validation } = splitTrain(set, { validation: 53, fraction: 0.125, ...seed });
    expect(validation.length).toBe(53);
    expect(perClass(set, validation).sort()).toEqual([5, 5, 5, 5, 5, 5, 5, 6, 6, 6]);
    expect(train.length).toBe(Math.round(0.125 * 547));
    for (const count of perClass(set, train)) expect([6, 7]).toContain(count);
  });

  it('keeps the proportions of unequal classes', () => {
    const set = labelled(600, 300, 100);
    const { train, validation } = splitTrain(set, { validation: 100, fraction: 0.5, ...seed });
    expect(perClass(set, validation)).toEqual([60, 30, 10]);
    expect(perClass(set, train)).toEqual([270, 135, 45]);
  });

  it('uses all images with fraction 1, none twice, ascending', () => {
    const set = labelled(31, 17, 52);
    const { train, validation } = splitTrain(set, { validation: 13, fraction: 1, ...seed });
    expect([...train, ...validation].sort((a, b) => a - b)).toEqual([...Array(100).keys()]);
    expect([...train]).toEqual([...train].sort((a, b) => a - b));
  });

  it('holds out the same validation images whatever the fraction, and nests fractions', () => {
    const sizes = fc.array(fc.integer({ min: 40, max: 80 }), { minLength: 1, maxLength: 6 });
    const share = fc.double({ min: 0.2, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        sizes,
        share,
        share,
        fc.integer({ min: 1, max: 20 }),
        fc.nat(),
        (counts, a, b, validation, splitSeed) => {
          const set = labelled(...counts);
          const small = splitTrain(set, { validation, fraction: Math.min(a, b), splitSeed });
          const large = splitTrain(set, { validation, fraction: Math.max(a, b), splitSeed });
          expect(small.validation).toEqual(large.validation);
          const within = new Set(large.train);
          expect(small.train.every((image) => within.has(image))).toBe(true);
          const held = new Set(large.validation);
          expect(large.train.some((image) => held.has(image))).toBe(false);
          const used = (validation + large.train.length) / set.count;
          perClass(set, large.train).forEach((count, label) => {
            const taken = count + perClass(set, large.validation)[label]!;
            expect(Math.abs(taken - used * counts[label]!)).toBeLessThanOrEqual(1.5);
          });
        },
      ),
    );
  });

  it('depends on the seed', () => {
    const set = labelled(100, 100);
    const split = (splitSeed: number) =>
      splitTrain(set, { validation: 20, fraction: 1, splitSeed }).validation;
    expect(split(1)).toEqual(split(1));
    expect(split(1)).not.toEqual(split(2));
  });

  it('refuses validation that leaves nothing to train on', () => {
    expect(() => splitTrain(labelled(30, 30), { validation: 60, fraction: 1, ...seed })).toThrow(
      'dataset.validation: 60 of 60 training images leave none to train on. Use a smaller number.',
    );
  });

  it('refuses a fraction that leaves a class without images', () => {
    expect(() => splitTrain(labelled(50, 50, 50), { validation: 30, fraction: 0.01, ...seed })).toThrow(
      /^dataset\.fraction 0\.01 with dataset\.validation 30: no training image of the class class\d is left among 1\. Use a larger fraction or fewer validation images\.$/,
    );
  });
});
