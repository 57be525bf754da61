import { isLater, type KubeObject, keyOf } from './resource.ts';

/** What became of an object. */
export type Change<T> =
  | { readonly type: 'added'; readonly object: T }
  | { readonly type: 'updated'; readonly old: T; readonly object: T }
  | { readonly type: 'deleted'; readonly object: T };

export type Handler<T> = (change: Change<T>) => void;

/** The values under which an object is found in an index, such as the uid of its owner. */
export type Indexer<T> = (object: T) => readonly string[];

export type CacheOptions<T> = {
  readonly indexers?: Readonly<Record<string, Indexer<T>>>;
  /** What is kept of an object; without its managed fields unless told, which are often the larger half of it. */
  readonly trim?: (object: T) => T;
  /** Told of an error that a handler threw: the cache goes on, for the sake of the other handlers. */
  readonly onHandlerError: (error: unknown) => void;
};

/** Answers to writes come within seconds; so many objects do not go meanwhile. */
const remembered = 1_000;

/**
 * The objects of a collection as the API server last told of them: frozen, found by key or index.
 *
 * Changes are told to the handlers one after the other, each when the cache already shows it.
 */
export class Cache<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indices: ReadonlyMap<string, Index<T>>;
  readonly #handlers = new Set<Handler<T>>();
  /** Uids of the objects that went last: an answer to a write may arrive after the end that followed it. */
  readonly #gone = new Set<string>();
  readonly #trim: (object: T) => T;
  readonly #onHandlerError: (error: unknown) => void;

  constructor({ indexers = {}, trim = withoutManagedFields, onHandlerError }: CacheOptions<T>) {
    this.#indices = new Map(Object.entries(indexers).map(([name, indexer]) => [name, new Index(indexer)]));
    this.#trim = trim;
    this.#onHandlerError = onHandlerError;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** @param key `namespace/name` */
  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  /** Objects that the indexer of that name gave `value` for. @throws Error if there is no such indexer */
  byIndex(name: string, value: string): readonly T[] {
    return [...this.#index(name).objects(value)];
  }

  /** How many objects `byIndex` gives. @throws Error if there is no such indexer */
  countByIndex(name: string, value: string): number {
    return this.#index(name).count(value);
  }

  /** Tells of all objects there are as added, then of every change. @returns what ends that */
  subscribe(handler: Handler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of [...this.#objects.values()]) this.#tell(handler, { type: 'added', object });
    return () => this.#handlers.delete(handler);
  }

  /** The object is there and looks like this, unless it is known to have moved on since. */
  set(object: T): void {
    const old = this.#objects.get(keyOf(object.metadata));
    if (old === undefined || isNewer(object, old)) this.#put(object, old);
  }

  /**
   * What the API server answered to a write of one's own: it is seen at once, not only when the watch tells of it, so
   * that nothing is decided on what was true before. An object that the watch has told the end of stays gone.
   */
  wrote(object: T): void {
    if (!this.#gone.has(object.metadata.uid ?? '')) this.set(object);
  }

  /** The object is gone; `object` is how it last looked. */
  delete(object: T): void {
    const key = keyOf(object.metadata);
    const old = this.#objects.get(key);
    if (old === undefined) return;
    const same = old.metadata.uid === object.metadata.uid;
    // It got its name after this one was gone.
    if (!same && isNewer(old, object)) return;
    // Otherwise the one known here went unseen before this one, which had its name after it.
    this.#remove(key, old, same ? deepFreeze(this.#trim(object)) : old);
  }

  /**
   * These are all the objects that there are, or all of one namespace. They are believed whatever their versions: a
   * server that was restored from a backup counts anew.
   */
  replace(objects: readonly T[], namespace?: string): void {
    const there = new Set(objects.map(({ metadata }) => keyOf(metadata)));
    for (const [key, old] of [...this.#objects]) {
      const listed = namespace === undefined || old.metadata.namespace === namespace;
      if (listed && !there.has(key)) this.#remove(key, old);
    }
    for (const object of objects) {
      const old = this.#objects.get(keyOf(object.metadata));
      if (old === undefined || !sameVersion(old, object)) this.#put(object, old);
    }
  }

  #put(object: T, old: T | undefined): void {
    const kept = deepFreeze(this.#trim(object));
    const key = keyOf(kept.metadata);
    if (old === undefined) {
      this.#store(key, kept);
      this.#tellAll({ type: 'added', object: kept });
    } else if (old.metadata.uid === kept.metadata.uid) {
      this.#store(key, kept, old);
      this.#tellAll({ type: 'updated', old, object: kept });
    } else {
      // Deleted and made again under its name, while nobody looked.
      this.#remove(key, old);
      this.#put(object, undefined);
    }
  }

  #index(name: string): Index<T> {
    const index = this.#indices.get(name);
    if (index === undefined) throw new Error(`the cache has no index "${name}"`);
    return index;
  }

  #store(key: string, object: T, old?: T): void {
    this.#objects.set(key, object);
    for (const index of this.#indices.values()) index.move(key, old, object);
  }

  #remove(key: string, old: T, last: T = old): void {
    this.#objects.delete(key);
    for (const index of this.#indices.values()) index.move(key, old, undefined);
    this.#remember(old.metadata.uid);
    this.#tellAll({ type: 'deleted', object: last });
  }

  #remember(uid: string | undefined): void {
    if (uid !== undefined) this.#gone.add(uid);
    const [oldest] = this.#gone;
    if (this.#gone.size > remembered && oldest !== undefined) this.#gone.delete(oldest);
  }

  #tellAll(change: Change<T>): void {
    for (const handler of [...this.#handlers]) this.#tell(handler, change);
  }

  #tell(handler: Handler<T>, change: Change<T>): void {
    try {
      handler(change);
    } catch (error) {
      this.#onHandlerError(error);
    }
  }
}

/** Objects by a value computed from them, in the order in which they came to have it. */
class Index<T> {
  readonly #indexer: Indexer<T>;
  /** By value, then by key. */
  readonly #found = new Map<string, Map<string, T>>();

  constructor(indexer: Indexer<T>) {
    this.#indexer = indexer;
  }

  objects(value: string): Iterable<T> {
    return this.#found.get(value)?.values() ?? [];
  }

  count(value: string): number {
    return this.#found.get(value)?.size ?? 0;
  }

  move(key: string, from: T | undefined, to: T | undefined): void {
    const values = to === undefined ? [] : this.#indexer(to);
    for (const value of from === undefined ? [] : this.#indexer(from)) {
      // One that keeps its value keeps its place.
      if (values.includes(value)) continue;
      const found = this.#found.get(value);
      found?.delete(key);
      if (found?.size === 0) this.#found.delete(value);
    }
    for (const value of values) {
      const found = this.#found.get(value);
      if (found === undefined) this.#found.set(value, new Map(to && [[key, to]]));
      else if (to !== undefined) found.set(key, to);
    }
  }
}

/** By the uid of each owner. */
export function ownerUids({ metadata }: KubeObject): readonly string[] {
  return metadata.ownerReferences?.map(({ uid }) => uid) ?? [];
}

/** By namespace and value of a label. */
export function labelValue(label: string): (object: KubeObject) => readonly string[] {
  return ({ metadata }) => {
    const value = metadata.labels?.[label];
    return value === undefined ? [] : [keyOf({ ...metadata, name: value })];
  };
}

export function withoutManagedFields<T extends KubeObject>(object: T): T {
  return { ...object, metadata: { ...object.metadata, managedFields: undefined } };
}

/** An object of one version never changes: a list repeats most of what is known already. */
function sameVersion(one: KubeObject, other: KubeObject): boolean {
  const version = one.metadata.resourceVersion;
  return version !== undefined && version === other.metadata.resourceVersion;
}

/** Whether it shows a later state; without versions everything that comes is new. */
function isNewer(one: KubeObject, other: KubeObject): boolean {
  const version = one.metadata.resourceVersion;
  const known = other.metadata.resourceVersion;
  if (version === undefined || known === undefined) return true;
  return isLater(version, known);
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
