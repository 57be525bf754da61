import type { Clock } from './clock.ts';

/** Skews are told of from here on, and again when they have changed by as much; seconds. */
const noticeable = 5;

/**
 * The time by the clock of the API server, which stamps all that this process compares its time with.
 *
 * It is kept by the machine's monotonic clock and set by the `Date` of each answer, which is true to the second: nobody
 * who sets the machine's clock moves it.
 */
export class ClusterClock implements Clock {
  readonly #local: Clock;
  readonly #onSkew: (seconds: number) => void;
  /** What the time was when the monotonic clock stood at 0. */
  #origin: number;
  #told = 0;

  /** @param onSkew told how far the machine's clock is ahead, in seconds, where that is much and new */
  constructor(local: Clock, onSkew: (seconds: number) => void = () => undefined) {
    this.#local = local;
    this.#onSkew = onSkew;
    this.#origin = local.now() - local.monotonic();
  }

  now(): number {
    return this.#origin + this.#local.monotonic();
  }

  monotonic(): number {
    return this.#local.monotonic();
  }

  after(milliseconds: number, action: () => void): () => void {
    return this.#local.after(milliseconds, action);
  }

  /** How far the machine's clock is ahead of the cluster's, in seconds. */
  get skew(): number {
    return (this.#local.now() - this.now()) / 1000;
  }

  /**
   * An answer has come.
   *
   * @param date as its head has it; of the moment when it was sent, cut to the second
   * @param asked when the request was sent, in monotonic milliseconds
   */
  answered(date: string | undefined, asked: number): void {
    const sent = Date.parse(date ?? '');
    if (Number.isNaN(sent)) return;
    // It was sent after it was asked for, and before now.
    const latest = sent + 1000 - asked;
    const earliest = sent - this.#local.monotonic();
    this.#origin = Math.min(Math.max(this.#origin, earliest), latest);
    if (Math.abs(this.skew - this.#told) < noticeable) return;
    this.#told = this.skew;
    this.#onSkew(this.#told);
  }
}
