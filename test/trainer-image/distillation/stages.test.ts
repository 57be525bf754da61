import { pairStages, stageShapes } from '@destillml/trainer/distillation/stages.ts';
import { tf } from '@destillml/trainer/tensorflow/tf.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const sides = (...given: number[]) => given.map((side) => ({ height: side, width: side, channels: 1 }));

describe('pairStages', () => {
  it.each([
    [
      'networks of as many stages one to one',
      [32, 16, 8],
      [32, 16, 8],
      [
        [0, 0],
        [1, 1],
        [2, 2],
      ],
    ],
    [
      'networks of as many stages one to one, whatever the sizes',
      [32, 16],
      [16, 8],
      [
        [0, 0],
        [1, 1],
      ],
    ],
    [
      'a ResNet of 3 stages with a VGG of 5',
      [32, 16, 8],
      [32, 16, 8, 4, 4],
      [
        [0, 0],
        [1, 1],
        [2, 2],
      ],
    ],
    [
      'a VGG that pools at once with a ResNet',
      [16, 8, 4, 2, 1],
      [32, 16, 8],
      [
        [0, 1],
        [1, 2],
      ],
    ],
    [
      'with the last of several equal sizes',
      [32, 16, 8, 4],
      [32, 16, 8, 4, 4],
      [
        [0, 0],
        [1, 1],
        [2, 2],
        [3, 4],
      ],
    ],
    [
      'repeated sizes in order',
      [8, 4, 4, 4],
      [4, 4],
      [
        [2, 0],
        [3, 1],
      ],
    ],
    [
      'from the end where no sizes are equal',
      [14, 7, 7],
      [8, 4],
      [
        [1, 0],
        [2, 1],
      ],
    ],
    ['a single stage with the last', [5], [16, 8, 4], [[0, 2]]],
  ])('pairs %s', (_, student, teacher, pairs) => {
    expect(pairStages(sides(...student), sides(...teacher))).toEqual(pairs);
  });

  it('keeps the order, uses no stage twice, and mirrors when student and teacher change places', () => {
    const stages = fc
      .array(fc.constantFrom(32, 16, 8, 4, 2, 1), { minLength: 1, maxLength: 8 })
      .map((some) => sides(...some.sort((a, b) => b - a)));
    fc.assert(
      fc.property(stages, stages, (student, teacher) => {
        const pairs = pairStages(student, teacher);
        expect(pairs.length).toBeGreaterThan(0);
        for (const [index, [s, t]] of pairs.entries()) {
          expect(s).toBeGreaterThan(pairs[index - 1]?.[0] ?? -1);
          expect(t).toBeGreaterThan(pairs[index - 1]?.[1] ?? -1);
          expect(student[s] && teacher[t]).toBeDefined();
        }
        expect(pairStages(teacher, student)).toEqual(pairs.map(([s, t]) => [t, s]));
      }),
    );
  });
});

describe('stageShapes', () => {
  it('leaves the batch out', () => {
    const shapes = stageShapes([tf.zeros([7, 4, 5, 3]), tf.zeros([7, 2, 1, 6])]);
    expect(shapes).toEqual([
      { height: 4, width: 5, channels: 3 },
      { height: 2, width: 1, channels: 6 },
    ]);
  });
});
