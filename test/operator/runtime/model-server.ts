import type { Listed, WatchEvent, WatchOptions } from '../../../operator/runtime/api-client.ts';
import { ApiError, ConnectionError } from '../../../operator/runtime/api-error.ts';
import type { ListWatchClient } from '../../../operator/runtime/list-watch.ts';
import { type Thing, thing } from './things.ts';

type Entry = { readonly version: number; readonly event: WatchEvent<Thing> };

/** The API server's promises about a collection in memory: one history, watches from any version not compacted away. */
export class ModelServer {
  readonly objects = new Map<string, Thing>();
  /** Requests that came, such as `list`, `watch 17`. */
  readonly requests: string[] = [];
  /** Thrown by the next requests, one each. */
  readonly failures: Error[] = [];
  #version = 1;
  #compacted = 0;
  #history: Entry[] = [];
  readonly #watches = new Set<ModelWatch>();

  get watches(): number {
    return this.#watches.size;
  }

  /** Makes the thing, or changes it. */
  write(name: string, value: number): void {
    const old = this.objects.get(name);
    const uid = old?.metadata.uid ?? `uid-${this.#version + 1}`;
    const object = thing(name, value, { uid, resourceVersion: `${++this.#version}` });
    this.objects.set(name, object);
    this.#happens({ type: old === undefined ? 'ADDED' : 'MODIFIED', object });
  }

  remove(name: string): void {
    const old = this.objects.get(name);
    if (old === undefined) return;
    this.objects.delete(name);
    const metadata = { ...old.metadata, resourceVersion: `${++this.#version}` };
    this.#happens({ type: 'DELETED', object: { ...old, metadata } });
  }

  bookmark(): void {
    for (const watch of this.#watches) watch.tell({ type: 'BOOKMARK', resourceVersion: `${this.#version}` });
  }

  /** Forgets what happened up to now. */
  compact(): void {
    this.#compacted = this.#version;
    this.#history = [];
  }

  /** Ends all watches: as at their time-out, or with an error. */
  disconnect(error?: Error): void {
    for (const watch of this.#watches) watch.end(error);
    this.#watches.clear();
  }

  /** What a list-watch uses. */
  client(): ListWatchClient {
    return {
      list: async (_resource, { fieldSelector }) => this.#list(fieldSelector) as unknown as Listed<never>,
      watch: (_resource, options, signal) => this.#watch(options, signal) as never,
    };
  }

  /** Restores what there was some versions ago: what happened since has never happened. */
  restore(back: number): void {
    this.#version -= back;
    this.#history = this.#history.filter(({ version }) => version <= this.#version);
    this.objects.clear();
    for (const { event } of this.#history) {
      if (event.type === 'BOOKMARK') continue;
      const { object } = event;
      if (event.type === 'DELETED') this.objects.delete(object.metadata.name);
      else this.objects.set(object.metadata.name, object);
    }
    this.disconnect(cutOff());
  }

  /** @param only such as `metadata.name=a` */
  #list(only?: string): Listed<Thing> {
    this.requests.push(only === undefined ? 'list' : `list ${only}`);
    this.#fail();
    const name = only?.split('=')[1];
    const items = [...this.objects.values()].filter(
      ({ metadata }) => name === undefined || metadata.name === name,
    );
    return { items: structuredClone(items), resourceVersion: `${this.#version}` };
  }

  async *#watch(options: WatchOptions, signal: AbortSignal): AsyncGenerator<WatchEvent<Thing>> {
    this.requests.push(`watch ${options.resourceVersion}`);
    this.#fail();
    const from = Number(options.resourceVersion);
    if (from < this.#compacted) throw expired();
    const watch = new ModelWatch(signal);
    for (const { version, event } of this.#history) if (version > from) watch.tell(event);
    this.#watches.add(watch);
    try {
      for (let event = await watch.next(); event !== undefined; event = await watch.next()) yield event;
    } finally {
      this.#watches.delete(watch);
    }
  }

  #fail(): void {
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
  }

  #happens(event: WatchEvent<Thing>): void {
    this.#history.push({ version: this.#version, event });
    for (const watch of this.#watches) watch.tell(event);
  }
}

export function expired(): ApiError {
  return new ApiError('watch of things', 410, { reason: 'Expired', message: 'too old resource version' });
}

export function cutOff(): ConnectionError {
  return new ConnectionError('watch of things', 'read ECONNRESET');
}

/** Events on their way to one watcher. */
class ModelWatch {
  readonly #events: WatchEvent<Thing>[] = [];
  #ended: { readonly error: Error | undefined } | undefined;
  #wake: () => void = () => undefined;

  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => this.end(signal.reason));
  }

  tell(event: WatchEvent<Thing>): void {
    this.#events.push(structuredClone(event));
    this.#wake();
  }

  end(error: Error | undefined): void {
    this.#ended ??= { error };
    this.#wake();
  }

  async next(): Promise<WatchEvent<Thing> | undefined> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      if (this.#ended?.error !== undefined) throw this.#ended.error;
      if (this.#ended !== undefined) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
