import { type BackOff, exponential } from './back-off.ts';
import type { Clock } from './clock.ts';

/** What happens in a queue, with the meaning that client-go's work queue metrics have. */
export type QueueObserver = {
  /** A key that was not waiting yet was added. */
  added(): void;
  /** A key is to be added later. */
  retried(): void;
  /** Work on a key begins. @param waited seconds since it was added */
  started(waited: number): void;
  /** Work on a key is done. @param worked seconds since it began */
  finished(worked: number): void;
};

export type WorkQueueOptions = {
  readonly clock: Clock;
  /** Between retries of one key: 5 ms doubling to 1000 s unless told, as client-go. */
  readonly backOff?: BackOff;
  readonly observer?: QueueObserver;
};

const usualBackOff: BackOff = { base: 5, cap: 1_000_000 };

/**
 * Keys to work on, in the order in which they were added.
 *
 * A key waits at most once; one that is added while it is worked on waits until that is done, so that no two workers
 * ever have the same key; and what was added is always worked on after that.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #backOff: BackOff;
  readonly #observer: QueueObserver | undefined;
  /** Ready to be worked on, first come first served. */
  readonly #ready = new Set<string>();
  /** Being worked on, since when. */
  readonly #active = new Map<string, number>();
  /** Added while being worked on. */
  readonly #again = new Set<string>();
  /** When a key was first added, of those that wait. */
  readonly #addedAt = new Map<string, number>();
  readonly #later = new Map<string, { readonly at: number; readonly cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  readonly #idleWorkers: ((key: string | undefined) => void)[] = [];
  #shut: { readonly drained: () => void; readonly promise: Promise<void> } | undefined;

  constructor({ clock, backOff = usualBackOff, observer }: WorkQueueOptions) {
    this.#clock = clock;
    this.#backOff = backOff;
    this.#observer = observer;
  }

  /** Keys that wait to be worked on, without those that come later. */
  get depth(): number {
    return this.#ready.size + this.#again.size;
  }

  /** For how long each key that is being worked on has been, in seconds. */
  get unfinished(): readonly number[] {
    const now = this.#clock.monotonic();
    return [...this.#active.values()].map((since) => (now - since) / 1000);
  }

  /** Retries in a row of a key. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  add(key: string): void {
    if (this.#shut || this.#ready.has(key) || this.#again.has(key)) return;
    this.#observer?.added();
    this.#addedAt.set(key, this.#clock.monotonic());
    if (this.#active.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#makeReady(key);
  }

  /** Adds the key after a while; of several whiles the one that ends first counts. */
  addAfter(key: string, milliseconds: number): void {
    if (this.#shut) return;
    this.#observer?.retried();
    if (milliseconds <= 0) {
      this.add(key);
      return;
    }
    const at = this.#clock.monotonic() + milliseconds;
    const planned = this.#later.get(key);
    if (planned !== undefined && planned.at <= at) return;
    planned?.cancel();
    const cancel = this.#clock.after(milliseconds, () => {
      this.#later.delete(key);
      this.add(key);
    });
    this.#later.set(key, { at, cancel });
  }

  /** Adds the key after a while that doubles with each retry, until `forget`. */
  retry(key: string): void {
    const failures = this.failures(key);
    this.#failures.set(key, failures + 1);
    this.addAfter(key, exponential(this.#backOff, failures));
  }

  /** The key did well: its next retry is its first one. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, once there is one; undefined once the queue is shut. Whoever takes a key calls `done` with it. */
  take(): Promise<string | undefined> {
    if (this.#shut) return Promise.resolve(undefined);
    const [key] = this.#ready;
    if (key !== undefined) return Promise.resolve(this.#start(key));
    return new Promise((resolve) => this.#idleWorkers.push(resolve));
  }

  /** The work on a key that was taken is done, well or not. */
  done(key: string): void {
    const since = this.#active.get(key);
    if (since === undefined) return;
    this.#active.delete(key);
    this.#observer?.finished((this.#clock.monotonic() - since) / 1000);
    if (this.#again.delete(key)) this.#makeReady(key);
    if (this.#active.size === 0) this.#shut?.drained();
  }

  /**
   * Nothing is added or given out any more. @returns once the keys that are being worked on are done
   *
   * Keys that still wait are dropped: whoever starts next finds everything that there is to do anew.
   */
  shutDown(): Promise<void> {
    if (this.#shut) return this.#shut.promise;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#shut = { promise, drained: resolve };
    for (const { cancel } of this.#later.values()) cancel();
    for (const worker of this.#idleWorkers) worker(undefined);
    for (const waiting of [this.#later, this.#idleWorkers, this.#ready, this.#again]) clear(waiting);
    if (this.#active.size === 0) resolve();
    return promise;
  }

  #makeReady(key: string): void {
    if (this.#shut) return;
    const worker = this.#idleWorkers.shift();
    if (worker === undefined) this.#ready.add(key);
    else worker(this.#start(key));
  }

  #start(key: string): string {
    const now = this.#clock.monotonic();
    this.#ready.delete(key);
    this.#active.set(key, now);
    this.#observer?.started((now - (this.#addedAt.get(key) ?? now)) / 1000);
    this.#addedAt.delete(key);
    return key;
  }
}

function clear(collection: Map<string, unknown> | Set<string> | unknown[]): void {
  if (Array.isArray(collection)) collection.length = 0;
  else collection.clear();
}
