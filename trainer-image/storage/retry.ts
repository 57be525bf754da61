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
 * @param attempt may say that it gets on: what fails after that begins another row
 * @throws the last failure, where it does not pass or patience is at its end; what `wait` throws
 */
export async function retry<T>(
  attempt: (getsOn: () => void) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const { patience, passes, onFailure, wait, now } = options;
  let failures = 0;
  let since: number | undefined;
  const getsOn = () => {
    failures = 0;
    since = undefined;
  };
  for (;;) {
    let pause: number;
    try {
      return await attempt(getsOn);
    } catch (error) {
      since ??= now();
      pause = Math.min(longestPause, 1000 * 2 ** failures);
      if (!passes(error) || now() + pause - since > patience) throw error;
      if (failures === 0) onFailure(error);
      failures += 1;
    }
    await wait(pause);
  }
}
