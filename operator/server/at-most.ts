import type { Clock } from '../runtime/clock.ts';

/** @returns what says, each time that it is asked, whether it is among the first `count` of a span of so many milliseconds */
export function atMost(count: number, span: number, clock: Pick<Clock, 'monotonic'>): () => boolean {
  let since = clock.monotonic();
  let left = count;
  return () => {
    const now = clock.monotonic();
    if (now - since >= span) [since, left] = [now, count];
    left -= 1;
    return left >= 0;
  };
}
