/** When the learning rate rises and falls, in steps. */
export interface Schedule {
  /** Highest learning rate, reached at the end of the warm-up. */
  readonly peak: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/**
 * Learning rate of a step: linear warm-up, then half a cosine down to zero after the last step
 * (Loshchilov and Hutter 2017, without restarts; warm-up of Goyal et al. 2017).
 *
 * @param step counted from 0.
 */
export function learningRate({ peak, warmupSteps, totalSteps }: Schedule, step: number): number {
  if (step < warmupSteps) return peak * ((step + 1) / warmupSteps); // rounded in this order it never exceeds the peak
  const share = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  return 0.5 * peak * (1 + Math.cos(Math.PI * share));
}
