/** Where axes of sizes and times may have ticks, and how those read. */
import { formatCount, formatDuration } from '../../results/format.ts';

const [minute, hour, day] = [60, 3600, 86_400];

/** Durations that are easily read, in seconds: 1, 2, 5, 10 and 30 s and minutes; hours; days. */
export const durations: readonly number[] = [
  ...[1, 2, 5, 10, 20, 30].flatMap((count) => [count, count * minute]),
  ...[1, 2, 4, 8, 12].map((count) => count * hour),
  ...[1, 2, 4, 8, 16, 32].map((count) => count * day),
].sort((a, b) => a - b);

/** `10 M` rather than `10.0 M`. */
export function shortCount(count: number): string {
  return formatCount(count).replace(/\.?0+(?= )/, '');
}

/** `10 min` rather than `10 min 00 s`. */
export function shortDuration(seconds: number): string {
  return formatDuration(seconds).replace(/ 0+ (s|min|h)$/, '');
}
