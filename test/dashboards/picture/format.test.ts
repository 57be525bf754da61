import { expect, test } from 'vitest';
import { format } from '../../../dashboards/picture/format.ts';

test.each([
  [0.9137, 'percentunit', undefined, '91.4%'],
  [0.9137, 'percentunit', 2, '91.37%'],
  [0, 's', undefined, '0 s'],
  [0.0021, 's', undefined, '2.10 ms'],
  [42, 's', undefined, '42 s'],
  [5400, 's', undefined, '1.50 hours'],
  [172_800, 's', undefined, '2 days'],
  [1536, 'bytes', undefined, '1.50 KiB'],
  [78_330, 'short', undefined, '78.3 K'],
  [3, 'short', undefined, '3'],
  [1234.5, 'ops', undefined, '1.23 K ops/s'],
  [12, 'reqps', undefined, '12 req/s'],
  [0.05, 'none', undefined, '0.05'],
  [2.5, 'h', undefined, '2.5 h'],
  [Number.NaN, 'short', undefined, 'NaN'],
])('%d in %s with %s decimals is "%s"', (value, unit, decimals, expected) => {
  expect(format(value, unit, decimals)).toBe(expected);
});
