/** Milliseconds of nothing but conflicts: more than a watch that is late, and others who write at the same time. */
const tooLong = 20_000;

/** Since when the writes for a key have met with nothing but conflicts. */
export class Conflicts {
  readonly #monotonic: () => number;
  readonly #since = new Map<string, number>();

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** One more. @returns whether they have lasted too long, once each time that they have */
  met(key: string): boolean {
    const now = this.#monotonic();
    const since = this.#since.get(key) ?? now;
    const lasts = now - since >= tooLong;
    this.#since.set(key, lasts ? now : since);
    return lasts;
  }

  /** Something else came of it. */
  over(key: string): void {
    this.#since.delete(key);
  }
}
