import { learningRate } from '@destillml/trainer/training/schedule.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const schedule = { peak: 0.5, warmupSteps: 10, totalSteps: 100 };

test('warm-up rises linearly to the peak', () => {
  expect(learningRate(schedule, 0)).toBeCloseTo(0.05, 12);
  expect(learningRate(schedule, 4)).toBeCloseTo(0.25, 12);
  expect(learningRate(schedule, 9)).toBeCloseTo(0.5, 12);
});

test('the cosine is at half the peak midway and near zero at the last step', () => {
  expect(learningRate(schedule, 10)).toBeCloseTo(0.5, 12);
  expect(learningRate(schedule, 55)).toBeCloseTo(0.25, 12);
  expect(learningRate(schedule, 99)).toBeLessThan(0.0002);
});

test('without warm-up the first step has the peak', () => {
  expect(learningRate({ peak: 0.1, warmupSteps: 0, totalSteps: 3 }, 0)).toBeCloseTo(0.1, 12);
});

test('the last step of the warm-up has the peak itself, however it is rounded', () => {
  const peak = 0.1;
  for (let steps = 1; steps <= 1000; steps++) {
    expect(learningRate({ peak, warmupSteps: steps, totalSteps: 2000 }, steps - 1)).toBe(peak);
  }
});

test('the rate is never negative nor above the peak, and only falls after the warm-up', () => {
  const schedules = fc.record({
    peak: fc.double({ min: 1e-6, max: 10, noNaN: true }),
    warmupSteps: fc.integer({ min: 0, max: 50 }),
    totalSteps: fc.integer({ min: 51, max: 500 }),
  });
  fc.assert(
    fc.property(schedules, fc.nat(49), (given, step) => {
      const rate = learningRate(given, step);
      expect(rate).toBeGreaterThanOrEqual(0);
      expect(rate).toBeLessThanOrEqual(given.peak);
      if (step >= given.warmupSteps) expect(learningRate(given, step + 1)).toBeLessThanOrEqual(rate);
    }),
  );
});
