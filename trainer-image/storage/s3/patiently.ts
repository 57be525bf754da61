import { retry } from '../retry.ts';
import { S3Refusal } from './refusal.ts';

export interface Patience {
  /** How long a store may be away, in milliseconds. */
  readonly patience: number;
  /** Told once of each time that it is away. */
  readonly warn: (message: string) => void;
  /** @throws where it is broken off */
  readonly wait: (milliseconds: number) => Promise<unknown>;
}

/**
 * Tries again while a store is away.
 *
 * @param attempt may say that it gets on: patience is for what comes after that
 * @throws S3Refusal that does not pass, or passes too late; whatever else an attempt throws
 */
export function patiently<T>(
  attempt: (getsOn: () => void) => Promise<T>,
  { patience, warn, wait }: Patience,
): Promise<T> {
  return retry(attempt, {
    patience,
    passes: (error) => error instanceof S3Refusal && error.passes,
    onFailure: (error) => warn(`It is tried again. ${error instanceof Error ? error.message : error}`),
    wait,
    now: () => performance.now(),
  });
}
