import type { Cache } from './cache.ts';
import { ListWatch, type ListWatchOptions } from './list-watch.ts';
import type { KubeObject } from './resource.ts';

export type CollectionOptions<T extends KubeObject> = ListWatchOptions<T> & {
  /** Namespaces whose objects are wanted; undefined: all. */
  readonly namespaces: readonly string[] | undefined;
};

/** The objects of one kind in some namespaces, or in all: one cache, kept by a list-watch of each. */
export class Collection<T extends KubeObject> {
  readonly cache: Cache<T>;
  /** Resolved once the cache holds everything. */
  readonly synced: Promise<void>;
  readonly #parts: readonly ListWatch<T>[];

  constructor({ namespaces, ...options }: CollectionOptions<T>) {
    this.cache = options.cache;
    const selections =
      namespaces === undefined
        ? [options.selection ?? {}]
        : namespaces.map((namespace) => ({ ...options.selection, namespace }));
    this.#parts = selections.map((selection) => new ListWatch({ ...options, selection }));
    this.synced = Promise.all(this.#parts.map(({ synced }) => synced)).then(() => undefined);
  }

  get isSynced(): boolean {
    return this.#parts.every(({ isSynced }) => isSynced);
  }

  /** Changes that watches told of so far. */
  get events(): number {
    return this.#parts.reduce((sum, { counts }) => sum + counts.events, 0);
  }

  /** Lists everything again, now: what is known has turned out to be wrong. */
  relist(): void {
    for (const part of this.#parts) part.relist();
  }

  /** Until `signal` is aborted; it never fails. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.run(signal)));
  }
}
