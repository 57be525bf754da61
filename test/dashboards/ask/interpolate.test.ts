import { expect, test } from 'vitest';
import { interpolate, timeVariables } from './interpolate.ts';

test.each([
  ['{run="$run"}', '{run="a"}'],
  [`{run=~"\${run}-x"}`, '{run=~"a-x"}'],
  [`{run=~"\${run:regex}"}`, '{run=~"a"}'],
  ['{run=~"$runs"}', '{run=~"(a|b)"}'],
  ['{run=~"$one"}', '{run=~"a"}'],
  ['{host=~"$host"}', String.raw`{host=~"a\\.b:1"}`],
  ['rate(x[$__rate_interval])', 'rate(x[60s])'],
  ['increase(x[$__range])', 'increase(x[3600s])'],
])('%s becomes %s', (expression, expected) => {
  const variables = { run: 'a', runs: ['a', 'b'], one: ['a'], host: ['a.b:1'], ...timeVariables(3600, 15) };
  expect(interpolate(expression, variables)).toBe(expected);
});

test('a variable without a value is named', () => {
  expect(() => interpolate('{run="$run"}', {})).toThrow('the variable run has no value in: {run="$run"}');
});

test('a rate looks back over at least four scrapes, and over all of a longer step', () => {
  expect(timeVariables(86_400, 360)).toMatchObject({ __rate_interval: '375s', __interval: '360s' });
});
