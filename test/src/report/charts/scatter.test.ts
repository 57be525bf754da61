import { describe, expect, it } from 'vitest';
import { accuracyAgainst, type Point } from '../../../../src/report/charts/scatter.ts';

const style = { color: '#0072b2', dash: 'none', mark: 'circle' } as const;
const text = { id: 'size', title: 'Accuracy against size', description: '' };
const student: Point = {
  group: 'resnet8',
  isTeacher: false,
  name: 'resnet8 soft',
  style,
  x: 100,
  y: { mean: 0.8, standardDeviation: 0.1 },
};

const draw = (points: readonly Point[]) =>
  accuracyAgainst(text, points, { label: 'size', format: String }).text;
const places = (drawn: string) =>
  [...drawn.matchAll(/translate\(([\d.]+) ([\d.]+)\)/g)].map(([, x, y]) => [Number(x), Number(y)]);

describe('accuracyAgainst', () => {
  it('draws a mark with a bar of one deviation up and down, and tells what it stands for', () => {
    const drawn = draw([student]);
    const [[x, y] = []] = places(drawn);
    const bar = drawn
      .match(/d="M([\d.]+),([\d.]+)V([\d.]+)"/)
      ?.slice(1)
      .map(Number);
    expect(bar?.[0]).toBe(x);
    expect(((bar?.[1] ?? 0) + (bar?.[2] ?? 0)) / 2).toBeCloseTo(y ?? 0, 0);
    expect(drawn).toContain('<title>resnet8 soft: 80.0 ± 10.0 %, 100</title>');
  });

  it('puts what costs more to the right, what is better above, and what costs the same side by side', () => {
    const teacher = { ...student, group: 'resnet56', isTeacher: true, x: 1000, y: { mean: 0.95 } };
    const drawn = draw([student, { ...student, y: { mean: 0.7 } }, teacher]);
    const [[a = 0, better = 0] = [], [b = 0, worse = 0] = [], [c = 0, best = 0] = []] = places(drawn);
    expect(b - a).toBe(15);
    expect(c).toBeGreaterThan(b);
    expect(best).toBeLessThan(better);
    expect(better).toBeLessThan(worse);
    // The name of each network once.
    expect(drawn.match(/>resnet8</g)).toHaveLength(1);
    expect(drawn.match(/>resnet56</g)).toHaveLength(1);
  });
});
