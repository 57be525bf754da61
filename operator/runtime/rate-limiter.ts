import { type Clock, sleep } from './clock.ts';

export type RateLimit = {
  /** Requests a second in the long run. */
  readonly qps: number;
  /** Requests that may go at once after a pause. */
  readonly burst: number;
};

/** A token bucket: whoever comes too early waits for the token of its turn, first come first served. */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  /** Negative: owed to those who wait. */
  #tokens: number;
  #at: number;

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
    this.#tokens = limit.burst;
    this.#at = clock.monotonic();
  }

  /** @throws the signal's reason if it is aborted while waiting; the token is then given back */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#refill();
    this.#tokens -= 1;
    if (this.#tokens >= 0) return;
    try {
      await sleep(this.#clock, (-this.#tokens / this.#limit.qps) * 1000, signal);
    } catch (error) {
      this.#tokens += 1;
      throw error;
    }
  }

  #refill(): void {
    const { qps, burst } = this.#limit;
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1000) * qps);
    this.#at = now;
  }
}
