/** Milliseconds. */
const longestPause = 15_000;

export interface RetryOptions {
  /** How long failures in a row are borne, in milliseconds. */
  readonly patience: number;
  /** Whether trying again may help. */
  readonly passes: (error: unknown) => boolean;
  /** Told of the first failure of a row. */
  readonly onFailure: (error: unknown) => void;
  readonly wait: (milliseconds: number) => Promise<unknown>;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
}

/**
 * Tries until it succeeds, with pauses of 1, 2, 4, 8, 15, 15, … seconds.
 *
 * @throws the last failure, where it does not pass or patience is at its end; what `wait` throws
 */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { patience, passes, onFailure, wait, now } = options;
  let since: number | undefined;
  for (let failures = 0; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      since ??= now();
      const pause = Math.min(longestPause, 1000 * 2 ** failures);
      if (!passes(error) || now() + pause - since > patience) throw error;
      if (failures === 0) onFailure(error);
    }
    await wait(Math.min(longestPause, 1000 * 2 ** failures));
  }
}
