import type { Clock } from '../../../operator/runtime/clock.ts';

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly action: () => void }>();
  /** Milliseconds since 1970 when the clock starts; another machine's may differ. */
  readonly #wall: number;

  constructor(wall = Date.parse('2026-11-24T12:00:00Z')) {
    this.#wall = wall;
  }

  /** Timers that nobody called off. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#wall + this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(milliseconds: number, action: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, milliseconds), action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets the time pass, and everything happen that happens meanwhile. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settle();
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.action();
      await settle();
    }
    this.#now = end;
  }

  /** Moves the time without any timer noticing, as where the machine stood still. */
  freeze(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

/** Everything that can go on without the time passing has gone on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
