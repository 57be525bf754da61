import type { ApiClient, Selection, WatchEvent } from './api-client.ts';
import { ConnectionError } from './api-error.ts';
import { type BackOff, exponential, jittered } from './back-off.ts';
import type { Cache } from './cache.ts';
import { type Clock, type Random, sleep } from './clock.ts';
import { isLater, type KubeObject, type Resource } from './resource.ts';

/** What a list-watch asks of the API server. */
export type ListWatchClient = Pick<ApiClient, 'list' | 'watch'>;

export type ListWatchOptions<T extends KubeObject> = {
  readonly client: ListWatchClient;
  readonly resource: Resource<T>;
  /** Kept to what the API server tells of; read by whoever needs it. */
  readonly cache: Cache<T>;
  readonly selection?: Selection;
  readonly clock: Clock;
  readonly random: Random;
  /** Told why the list or the watch begins anew, other than by the server's own time-out of a watch. */
  readonly onRestart?: (error: unknown, failures: number) => void;
};

/** As client-go's reflectors. */
const backOff: BackOff = { base: 800, cap: 30_000 };
/** A watch that lasted this long was a good one, though nothing happened in it; milliseconds. */
const goodWatch = 10_000;
/** A list is good for so long, whoever asks for another; milliseconds. */
const freshness = 10_000;
/** The server ends a watch after a random time from here to twice that, in seconds: watches are spread over its replicas. */
const minWatch = 300;

/** What the cache knows has never happened: the API server's store was restored from a backup. */
export class HistoryLost extends Error {
  constructor(plural: string, what: string) {
    super(`${plural}: ${what}: the API server was restored from a backup`);
    this.name = 'HistoryLost';
  }
}

/**
 * Keeps a cache to a collection of the API server: lists it, then watches it from there, for as long as it runs.
 *
 * A watch that ends goes on from the last version it told of. Where that is not possible, or anything is not as it
 * should be, the collection is listed again; what changed meanwhile is told as changes. A server that has gone back in
 * time would be silent of that, so it is asked for what happened last before a watch goes on.
 */
export class ListWatch<T extends KubeObject> {
  readonly cache: Cache<T>;
  /** Resolved once the cache holds the whole collection, and the handlers know it. */
  readonly synced: Promise<void>;
  readonly resource: Resource<T>;
  readonly #options: ListWatchOptions<T>;
  #sync: () => void = () => undefined;
  #isSynced = false;
  #counts = { lists: 0, watches: 0, events: 0 };
  #round = new AbortController();
  /** Whether it is to be listed before anything else. */
  #isStale = true;
  /** In monotonic milliseconds. */
  #freshUntil = 0;

  constructor(options: ListWatchOptions<T>) {
    this.#options = options;
    this.cache = options.cache;
    this.resource = options.resource;
    this.synced = new Promise((resolve) => {
      this.#sync = resolve;
    });
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Since it runs: lists read, watches begun, changes that watches told of. */
  get counts(): { readonly lists: number; readonly watches: number; readonly events: number } {
    return { ...this.#counts };
  }

  /**
   * Lists it again, now: what is known has turned out to be wrong. A list that is under way, or was just read, is that
   * list: to begin it anew each time that somebody asks would be never to end it.
   */
  relist(): void {
    const { clock } = this.#options;
    if (this.#isStale || clock.monotonic() < this.#freshUntil) return;
    this.#isStale = true;
    this.#round.abort(new Error('it is to be listed again'));
  }

  /** Until `signal` is aborted; it never fails. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, onRestart } = this.#options;
    const state: State = { version: undefined, failures: 0 };
    while (!signal.aborted) {
      this.#round = new AbortController();
      const round = AbortSignal.any([signal, this.#round.signal]);
      try {
        const goesOn = !this.#isStale && (await this.#isHistory(state.version, round));
        if (!goesOn) state.version = await this.#list(round);
        await this.#watch(state, round);
      } catch (error) {
        if (signal.aborted) return;
        if (!canResume(error)) state.version = undefined;
        if (this.#round.signal.aborted) continue;
        onRestart?.(error, state.failures);
        const wait = jittered(exponential(backOff, state.failures), 1, random());
        state.failures += 1;
        await sleep(clock, wait, signal).catch(() => undefined);
      }
    }
  }

  /** @returns the version to watch from */
  async #list(signal: AbortSignal): Promise<string> {
    const { client, resource, selection = {}, cache, clock } = this.#options;
    const { items, resourceVersion } = await client.list(resource, selection, signal);
    this.#counts.lists += 1;
    this.#isStale = false;
    this.#freshUntil = clock.monotonic() + freshness;
    cache.replace(items, selection.namespace);
    this.#isSynced = true;
    this.#sync();
    return resourceVersion;
  }

  /**
   * Whether a watch may go on from that version: the object that changed last is there as it is known, or as it became
   * later. Of an empty cache a list is as good as a look.
   */
  async #isHistory(known: string | undefined, signal: AbortSignal): Promise<boolean> {
    const { client, resource, selection = {}, cache, onRestart } = this.#options;
    const newest = newestOf(cache.values(), selection.namespace);
    if (known === undefined || newest === undefined) return false;
    const { name, namespace, uid } = newest.metadata;
    const one = {
      ...selection,
      namespace: selection.namespace ?? namespace,
      fieldSelector: `metadata.name=${name}`,
    };
    const { items, resourceVersion } = await client.list(resource, one, signal);
    const [found] = items;
    const lost =
      isLater(known, resourceVersion) ||
      found === undefined ||
      (found.metadata.uid === uid && isLater(versionOf(newest), versionOf(found)));
    if (!lost) return true;
    // One that was deleted meanwhile is told by the list.
    const isSure = found !== undefined || isLater(known, resourceVersion);
    if (isSure) onRestart?.(new HistoryLost(resource.plural, `${name} is not what it was`), 0);
    return false;
  }

  /** One watch, to its end. @throws Error if that came too early */
  async #watch(state: State, signal: AbortSignal): Promise<void> {
    const { client, resource, selection = {}, clock, random } = this.#options;
    const timeoutSeconds = Math.floor(jittered(minWatch, 1, random()));
    const options = { ...selection, resourceVersion: state.version ?? '', timeoutSeconds };
    const started = clock.monotonic();
    let told = false;
    this.#counts.watches += 1;
    for await (const event of client.watch(resource, options, signal)) {
      state.version = this.#take(event);
      state.failures = 0;
      told = true;
    }
    if (!told && clock.monotonic() - started < goodWatch) {
      throw new ConnectionError(`watch of ${resource.plural}`, 'ended at once');
    }
    state.failures = 0;
  }

  /** @returns the version that the cache has now */
  #take(event: WatchEvent<T>): string {
    if (event.type === 'BOOKMARK') return event.resourceVersion;
    this.#counts.events += 1;
    if (event.type === 'DELETED') this.cache.delete(event.object);
    else this.cache.set(event.object);
    return event.object.metadata.resourceVersion ?? '';
  }
}

type State = {
  /** Last version that the cache is known to have; undefined if it must be listed. */
  version: string | undefined;
  /** In a row. */
  failures: number;
};

function newestOf<T extends KubeObject>(objects: Iterable<T>, namespace: string | undefined): T | undefined {
  let newest: T | undefined;
  for (const object of objects) {
    const isHere = namespace === undefined || object.metadata.namespace === namespace;
    if (isHere && (newest === undefined || isLater(versionOf(object), versionOf(newest)))) newest = object;
  }
  return newest;
}

function versionOf({ metadata }: KubeObject): string {
  return metadata.resourceVersion ?? '';
}

/** Whether a watch from the same version has a chance: nothing is wrong with the version, only with the connection. */
function canResume(error: unknown): boolean {
  return error instanceof ConnectionError;
}
