/**
 * How much each of the counters grew over a window: as increase(), but a series that is new counts from zero.
 *
 * Failures are counted in series that are not there before the first of them.
 */
export function grown(counter: string, window: string): string {
  return `(clamp_min(${counter} - ${counter} offset ${window}, 0) or ${counter})`;
}
