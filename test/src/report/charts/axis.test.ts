import { describe, expect, it } from 'vitest';
import { axisAround } from '../../../../src/report/charts/axis.ts';

const options = { label: 'x', format: String, range: [0, 100] as const };
const texts = (axis: ReturnType<typeof axisAround>) => axis.ticks.map(({ text }) => text);

describe('axisAround', () => {
  it('reaches from one round number to another', () => {
    const axis = axisAround([0.13, 0.98], { ...options, count: 5 });
    expect(texts(axis)).toEqual(['0', '0.2', '0.4', '0.6', '0.8', '1']);
    expect([axis.scale(0), axis.scale(1)]).toEqual([0, 100]);
  });

  it('has marks at 1, 2 and 5 of every decade where it is logarithmic, and at powers of ten over many', () => {
    expect(texts(axisAround([80, 950], { ...options, log: true }))).toEqual(['100', '200', '500', '1000']);
    const wide = texts(axisAround([1, 1e6], { ...options, log: true }));
    expect(wide).toEqual(['1', '10', '100', '1000', '10000', '100000', '1000000']);
  });

  it('keeps a margin on a logarithmic axis, and has ticks only where it may', () => {
    const axis = axisAround([60, 600], {
      ...options,
      log: true,
      margin: 20,
      steps: [30, 60, 300, 600, 86_400],
    });
    expect(axis.scale(60)).toBeGreaterThanOrEqual(20);
    expect(axis.scale(600)).toBeLessThanOrEqual(80);
    expect(texts(axis)).toEqual(['30', '60', '300', '600']);
  });

  it('has room around one value, and stands without any', () => {
    expect(axisAround([0.5], options).scale(0.5)).toBeCloseTo(50);
    expect(texts(axisAround([], options)).length).toBeGreaterThan(1);
    expect(texts(axisAround([Number.NaN, 0], { ...options, log: true })).length).toBeGreaterThan(1);
  });

  it('has no two marks that read the same', () => {
    const axis = axisAround([0.801, 0.809], {
      ...options,
      format: (value) => `${Math.round(100 * value)} %`,
    });
    expect(texts(axis)).toEqual(['80 %', '81 %']);
  });
});
