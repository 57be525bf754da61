/**
 * How much each of the counters grew over a window: as increase(), but a series that is new counts from zero.
 *
 * Failures are counted in series that are not there before the first of them. Where Prometheus missed the scrape of a
 * window ago, the one before it counts, so that what is old does not look new.
 */
export function grown(counter: string, window: string): string {
  return `(clamp_min(${counter} - last_over_time(${counter}[${window}] offset ${window}), 0) or ${counter})`;
}
