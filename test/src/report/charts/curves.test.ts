import { describe, expect, it } from 'vitest';
import { curvesChart } from '../../../../src/report/charts/curves.ts';

const style = { color: '#0072b2', dash: '8 3', mark: 'circle' } as const;
const text = { id: 'loss', title: 'Loss', description: 'It falls.' };
const draw = (points: readonly (readonly [number, number])[], options = {}) =>
  curvesChart(text, [{ name: 'soft, seed 1', style, points }], { format: String, ...options }).text;

describe('curvesChart', () => {
  it('draws a curve in its style from the first to the last epoch, with a name', () => {
    const drawn = draw([
      [1, 0],
      [2, 1],
      [3, 0.5],
    ]);
    // The plot reaches from 58 to 444, and from 256 up to 12.
    expect(drawn).toContain('<title>soft, seed 1</title><path d="M58,256L251,12L444,134"');
    expect(drawn).toContain('stroke="#0072b2"');
    expect(drawn).toContain('stroke-dasharray="8 3"');
    expect(drawn).toContain('<circle cx="444" cy="134"');
  });

  it('is a picture with a title and a description for those who do not see it', () => {
    expect(draw([[1, 1]])).toContain('role="img" aria-labelledby="loss-title loss-description"');
    expect(draw([[1, 1]])).toContain(
      '<title id="loss-title">Loss</title>\n<desc id="loss-description">It falls.',
    );
  });

  it('leaves out losses that are no number', () => {
    const drawn = draw([
      [1, 0],
      [2, Number.NaN],
      [3, 1],
    ]);
    expect(drawn).toContain('d="M58,256L444,12"');
    expect(drawn).not.toContain('NaN');
  });

  it('is logarithmic where values differ much, and says so', () => {
    const points = [
      [1, 100],
      [2, 1],
    ] as const;
    expect(draw(points, { logBeyond: 20 })).toContain('Loss, logarithmic');
    expect(draw(points)).not.toContain('logarithmic');
  });

  it('is not logarithmic where a value is 0: that has its place', () => {
    const drawn = draw(
      [
        [1, 100],
        [2, 0],
      ],
      { logBeyond: 20 },
    );
    expect(drawn).not.toContain('logarithmic');
    expect(drawn).toContain('d="M58,12L444,256"');
    expect(drawn).not.toMatch(/NaN|Infinity/);
  });

  it('draws many Runs with 200,000 points together', () => {
    const points = Array.from({ length: 400 }, (_, index) => [index + 1, index + 1] as const);
    const curves = Array.from({ length: 500 }, (_, index) => ({ name: `seed ${index}`, style, points }));
    const drawn = curvesChart(text, curves, { format: String, logBeyond: 20 }).text;
    expect(drawn.match(/<path /g)?.length).toBeGreaterThanOrEqual(500);
    expect(drawn).toContain('Loss, logarithmic');
  });

  it('draws no more points than one can see, the last one among them', () => {
    const drawn = draw(Array.from({ length: 6001 }, (_, index) => [index + 1, index] as const));
    expect(drawn.match(/L[\d.]+,/g)?.length).toBeLessThanOrEqual(401);
    expect(drawn).toContain('cx="444"');
  });
});
