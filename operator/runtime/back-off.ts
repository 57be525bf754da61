/** How long to wait after the n-th failure in a row. */
export type BackOff = {
  /** After the first failure, in milliseconds. */
  readonly base: number;
  /** At most, in milliseconds, jitter apart. */
  readonly cap: number;
};

/**
 * base · 2^failures up to the cap, in milliseconds.
 *
 * @param failures failures in a row before this one, from 0
 */
export function exponential({ base, cap }: BackOff, failures: number): number {
  return Math.min(cap, base * 2 ** failures);
}

/**
 * Between once and (1 + factor) times `milliseconds`: those that failed together do not come back together.
 *
 * @param share where between, in [0, 1)
 */
export function jittered(milliseconds: number, factor: number, share: number): number {
  return milliseconds * (1 + factor * share);
}
