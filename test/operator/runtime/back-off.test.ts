import { describe, expect, it } from 'vitest';
import { exponential, jittered } from '../../../operator/runtime/back-off.ts';

describe('exponential', () => {
  it.each([
    [0, 5],
    [1, 10],
    [10, 5120],
    [17, 655_360],
    [18, 1_000_000],
    [5000, 1_000_000],
  ])('after %i failures waits %i ms', (failures, expected) => {
    expect(exponential({ base: 5, cap: 1_000_000 }, failures)).toBe(expected);
  });
});

describe('jittered', () => {
  it('lies between once and (1 + factor) times the time', () => {
    expect(jittered(2000, 1.2, 0)).toBe(2000);
    expect(jittered(2000, 1.2, 0.5)).toBe(3200);
  });
});
