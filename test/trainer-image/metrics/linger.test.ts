import { linger, longestLinger } from '@destillml/trainer/metrics/linger.ts';
import { expect, it } from 'vitest';

it.each([
  ['nobody has ever looked', [], 0],
  ['the next look is due by the usual interval', [95_000], 13_000],
  ['the next look is due by the interval of the last two', [90_000, 95_000], 3_000],
  ['the next look is overdue: nobody looks any more', [60_000, 75_000], 0],
  ['looks are far apart', [0, 90_000], longestLinger],
])('a trainer waits for its last scrape, where %s', (_, scrapes, milliseconds) => {
  expect(linger(scrapes, 100_000)).toBe(milliseconds);
});
