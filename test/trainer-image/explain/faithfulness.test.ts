import { blurred } from '@destillml/trainer/explain/background.ts';
import { faithfulness, randomMap } from '@destillml/trainer/explain/faithfulness.ts';
import type { Probe } from '@destillml/trainer/explain/probe.ts';
import { describe, expect, it } from 'vitest';
import { filled } from '../models/filled.ts';
import { grid } from './reference.ts';

const size = 16;
const object = Float32Array.from({ length: size * size }, (_, pixel) => (pixel % size < 4 ? 1 : 0));

/** Sees the share of the pixels of the object that are as bright as they were: two classes, the second is the object. */
const probe: Probe = {
  classes: 2,
  size,
  gradCamCells: [1, 1],
  async logits({ count, draw }) {
    const logits = new Float32Array(2 * count);
    const image = new Float32Array(3 * size * size);
    for (let index = 0; index < count; index++) {
      draw(index, image);
      const whole = object.reduce((sum, part) => sum + part, 0);
      const seen = object.reduce(
        (sum, part, pixel) => sum + (part === 1 && image[3 * pixel]! > 4.9 ? 1 : 0),
        0,
      );
      logits[2 * index + 1] = 40 * (seen / whole - 0.5);
    }
    return logits;
  },
  gradients: () => Promise.reject(new Error('not asked')),
  gradCam: () => Promise.reject(new Error('not asked')),
  dispose: () => undefined,
};
const input = Float32Array.from({ length: 3 * size * size }, (_, i) => 5 * object[Math.floor(i / 3)]!);
const followed = { input, blurred: blurred(input, size), target: 1 };

describe('faithfulness', () => {
  it('is best for the map that shows what the network sees, worst for its opposite', async () => {
    const right = await faithfulness(probe, followed, object);
    const wrong = await faithfulness(
      probe,
      followed,
      object.map((part) => -part),
    );
    // A quarter of the pixels is the object; half of it decides. The network's step from no to yes is steep.
    expect(right.insertion).toBeCloseTo(1 - 0.125, 1);
    expect(right.deletion).toBeCloseTo(0.125, 1);
    expect(wrong.insertion).toBeCloseTo(0.125, 1);
    expect(wrong.deletion).toBeCloseTo(1 - 0.125, 1);
  });

  it('of a random map is between', async () => {
    const found = await faithfulness(probe, followed, randomMap(grid(8, size).labels, 1, 0));
    expect(found.insertion).toBeGreaterThan(0.3);
    expect(found.insertion).toBeLessThan(0.7);
  });
});

describe('randomMap', () => {
  it('has one value for every cell, another one for every draw', () => {
    const cells = grid(4, size).labels;
    const map = randomMap(cells, 1, 0);
    expect(new Set(map).size).toBe(16);
    expect(map.every((value, pixel) => value === map[cells.indexOf(cells[pixel]!)])).toBe(true);
    expect(randomMap(cells, 1, 0)).toEqual(map);
    expect(randomMap(cells, 1, 1)).not.toEqual(map);
  });
});

describe('blurred', () => {
  it('keeps flat colours and the mean, and leaves nothing of fine patterns', () => {
    expect(Math.max(...blurred(new Float32Array(768).fill(0.7), 16))).toBeCloseTo(0.7, 6);
    const noise = filled('noise', 32 * 32 * 3);
    const found = blurred(noise, 32);
    const power = (values: Float32Array) => values.reduce((sum, value) => sum + value ** 2, 0);
    expect(power(found) / power(noise)).toBeLessThan(0.02);
  });

  it('spreads a point as a Gaussian of σ = size / 8, each channel for itself', () => {
    const point = new Float32Array(32 * 32 * 3);
    point[3 * (16 * 32 + 16) + 1] = 1;
    const found = blurred(point, 32);
    const at = (row: number, column: number, channel = 1) => found[3 * (row * 32 + column) + channel]!;
    expect(at(16, 20) / at(16, 16)).toBeCloseTo(Math.exp(-0.5), 5);
    expect(at(20, 20) / at(16, 16)).toBeCloseTo(Math.exp(-1), 5);
    expect(at(16, 16, 0)).toBe(0);
  });
});
