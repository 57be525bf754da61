/** What happened, in order: put by whoever notices it, taken by the one loop that acts on it. */
export class Events<T> {
  readonly #waiting: T[] = [];
  #wake: (() => void) | undefined;

  put(event: T): void {
    this.#waiting.push(event);
    this.#wake?.();
  }

  async take(): Promise<T> {
    for (;;) {
      const event = this.#waiting.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
