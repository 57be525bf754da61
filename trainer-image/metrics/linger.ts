/** Time that a trainer waits for its last scrape, at most, in milliseconds: it holds its GPUs meanwhile. */
export const longestLinger = 20_000;
/** Between two scrapes, where there was only one: that of the chart's PodMonitor. */
const usualInterval = 15_000;
/** Scrapes are not quite regular, and take a while. */
const tolerance = 3_000;

/**
 * How long to wait for the scrape that sees the end, in milliseconds from now; 0 where nobody has looked before.
 *
 * @param scrapes when the last two were, in milliseconds
 */
export function linger(scrapes: readonly number[], now: number): number {
  const [last, before] = scrapes.toReversed();
  if (last === undefined) return 0;
  const interval = before === undefined ? usualInterval : last - before;
  return Math.min(longestLinger, Math.max(0, last + interval + tolerance - now));
}
