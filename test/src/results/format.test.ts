import { describe, expect, it } from 'vitest';
import {
  formatAccuracy,
  formatAgainst,
  formatCount,
  formatDuration,
  formatPercent,
  formatPoints,
  formatShare,
  formatSpread,
} from '../../../src/results/format.ts';

describe('numbers for people', () => {
  it.each([
    [999, '999'],
    [5_190, '5.2 k'],
    [78_042, '0.08 M'],
    [272_474, '0.27 M'],
    [1_233_540, '1.23 M'],
    [9_994_999, '9.99 M'],
    [9_995_000, '10.0 M'],
    [42_697_380, '42.7 M'],
  ])('writes %d parameters as %s', (count, text) => {
    expect(formatCount(count)).toBe(text);
  });

  it('writes accuracies as percent, with a deviation where there is one', () => {
    expect(formatAccuracy({ mean: 0.9124, standardDeviation: 0.0031 })).toBe('91.2 ± 0.3 %');
    expect(formatAccuracy({ mean: 0.9124 })).toBe('91.2 %');
  });

  it.each([
    [0.0142, '+1.4'],
    [-0.003, '−0.3'],
    [0, '+0.0'],
    [-0.0004, '+0.0'],
  ])('writes a difference of %d as %s points', (difference, text) => {
    expect(formatPoints(difference)).toBe(text);
  });

  it('writes measures with a deviation, or with what chance gives, where there is one', () => {
    expect(formatSpread({ mean: -0.714, standardDeviation: 0.12 })).toBe('−0.71 ± 0.12');
    expect(formatSpread({ mean: -0.001 })).toBe('0.00');
    expect(formatAgainst({ mean: 0.612 }, { mean: -0.004 })).toBe('0.61 (0.00)');
    expect(formatAgainst({ mean: 0.612 }, undefined)).toBe('0.61');
  });

  it.each([
    [0.348, '35 %'],
    [-0.12, '−12 %'],
    [-0.001, '0 %'],
    [1.2, '120 %'],
  ])('writes a share of %d as %s', (share, text) => {
    expect(formatPercent(share)).toBe(text);
  });

  it.each([
    [1, '100 %'],
    [0.1, '10 %'],
    [1 / 3, '33.3 %'],
    [0.004, '0.4 %'],
    [0.00012, '0.012 %'],
  ])('writes a part of %d as %s', (fraction, text) => {
    expect(formatShare(fraction)).toBe(text);
  });

  it.each([
    [0.4, '0 s'],
    [59.4, '59 s'],
    [59.6, '1 min 00 s'],
    [72, '1 min 12 s'],
    [3599.7, '1 h 00 min'],
    [11_100, '3 h 05 min'],
    [86_390, '1 d 0 h'],
    [183_600, '2 d 3 h'],
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});
