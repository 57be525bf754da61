import { apiError, isExpired, isStatus, type Status } from './api-error.ts';
import { collectionPath, type KubeObject, type ObjectRef, objectPath, type Resource } from './resource.ts';
import {
  type Method,
  type Query,
  type RequestOptions,
  Transport,
  type TransportOptions,
} from './transport.ts';

export type ApiClientOptions = TransportOptions & {
  /** Owner of the fields that this client applies. */
  readonly fieldManager: string;
};

/** Which objects of a resource; all of them unless told. */
export type Selection = {
  readonly namespace?: string | undefined;
  /** Such as `destillml.io/experiment`. */
  readonly labelSelector?: string | undefined;
  /** Such as `spec.nodeName=gpu-1`. */
  readonly fieldSelector?: string | undefined;
};

export type Listed<T> = {
  readonly items: readonly T[];
  /** Of the collection: where a watch goes on. */
  readonly resourceVersion: string;
};

export type WatchOptions = Selection & {
  /** Last thing seen; the watch tells what came after. */
  readonly resourceVersion: string;
  /** After which the server ends the watch. */
  readonly timeoutSeconds: number;
};

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** Nothing happened up to this version. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export type DeleteOptions = {
  /** Delete this object only, not another one that got its name. */
  readonly uid?: string;
  /** What happens to the objects it owns. `Background` unless told: they are deleted after it. */
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
};

const pageSize = 500;
/** How much longer than asked a watch may last before it is held for lost, in milliseconds. */
const watchGrace = 30_000;

/**
 * Plain JSON to and from the API server.
 *
 * Every method throws ApiError if the server refuses, ConnectionError if it does not answer, and the reason of
 * `signal` if that is aborted.
 */
export class ApiClient {
  readonly #options: ApiClientOptions;
  readonly #transport: Transport;

  constructor(options: ApiClientOptions) {
    this.#options = options;
    this.#transport = new Transport(options);
  }

  /** The same client, on the same connections and under the same limit, as another owner of fields. */
  as(fieldManager: string): ApiClient {
    return new ApiClient({ ...this.#options, fieldManager });
  }

  get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, signal: AbortSignal): Promise<T> {
    return this.request('GET', objectPath(resource, ref), {}, signal);
  }

  /** All objects selected, read page by page at one version of the collection. */
  async list<T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection,
    signal: AbortSignal,
  ): Promise<Listed<T>> {
    try {
      return await this.#pages(resource, selection, pageSize, signal);
    } catch (error) {
      // The version of the first page was compacted away before the last one was read: all at once cannot go stale.
      if (isExpired(error)) return await this.#pages(resource, selection, undefined, signal);
      throw error;
    }
  }

  create<T extends KubeObject>(resource: Resource<T>, object: Draft<T>, signal: AbortSignal): Promise<T> {
    return this.request(
      'POST',
      collectionPath(resource, object.metadata?.namespace),
      { query: this.#manager(), body: typed(resource, object) },
      signal,
    );
  }

  /** Replaces the object. @throws ApiError 409 if its `resourceVersion` is no longer the latest */
  update<T extends KubeObject>(resource: Resource<T>, object: T, signal: AbortSignal): Promise<T> {
    return this.request(
      'PUT',
      objectPath(resource, object.metadata),
      { query: this.#manager(), body: typed(resource, object) },
      signal,
    );
  }

  /** Server-side apply: the fields in `object` become this, and this manager's; those it no longer names are dropped. */
  apply<T extends KubeObject>(
    resource: Resource<T>,
    object: Applied<T>,
    signal: AbortSignal,
    subresource?: string,
  ): Promise<T> {
    return this.request(
      'PATCH',
      objectPath(resource, object.metadata, subresource),
      {
        query: { ...this.#manager(), force: true },
        body: typed(resource, object),
        contentType: 'application/apply-patch+yaml',
      },
      signal,
    );
  }

  applyStatus<T extends KubeObject>(
    resource: Resource<T>,
    object: Applied<T>,
    signal: AbortSignal,
  ): Promise<T> {
    return this.apply(resource, object, signal, 'status');
  }

  /** JSON merge patch: `null` removes a field, lists are replaced. */
  patch<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    patch: object,
    signal: AbortSignal,
    subresource?: string,
  ): Promise<T> {
    return this.request(
      'PATCH',
      objectPath(resource, ref, subresource),
      { query: this.#manager(), body: patch, contentType: 'application/merge-patch+json' },
      signal,
    );
  }

  /** @throws ApiError 404 if it is not there, 409 if it is not the one with that uid */
  async delete(
    resource: Resource,
    ref: ObjectRef,
    { uid, propagationPolicy = 'Background', gracePeriodSeconds }: DeleteOptions,
    signal: AbortSignal,
  ): Promise<void> {
    const preconditions = uid === undefined ? undefined : { uid };
    await this.request(
      'DELETE',
      objectPath(resource, ref),
      {
        body: {
          kind: 'DeleteOptions',
          apiVersion: 'v1',
          propagationPolicy,
          preconditions,
          gracePeriodSeconds,
        },
      },
      signal,
    );
  }

  /**
   * What happens from now on, until the server ends the watch, which it does after `timeoutSeconds` at the latest.
   *
   * @throws ApiError 410 if the version is too old to go on from: list again
   */
  async *watch<T extends KubeObject>(
    resource: Resource<T>,
    { namespace, resourceVersion, timeoutSeconds, ...selectors }: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const path = collectionPath(resource, namespace);
    const query = { ...selectors, watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds };
    const lines = this.#transport.stream(path, query, timeoutSeconds * 1000 + watchGrace, signal);
    for await (const line of lines) yield watchEvent<T>(`watch of ${path}`, line);
  }

  /** Any request; for what has no method of its own, such as discovery. The type of the answer is the caller's word. */
  request<T = unknown>(
    method: Method,
    path: string,
    options: RequestOptions,
    signal: AbortSignal,
  ): Promise<T> {
    return this.#transport.request(method, path, options, signal);
  }

  async #pages<T extends KubeObject>(
    resource: Resource<T>,
    { namespace, ...selectors }: Selection,
    limit: number | undefined,
    signal: AbortSignal,
  ): Promise<Listed<T>> {
    const items: T[] = [];
    let next: string | undefined;
    for (;;) {
      const query = { ...selectors, limit, continue: next };
      const page = await this.request<Page<T>>('GET', collectionPath(resource, namespace), { query }, signal);
      // Objects of a list do not say what they are, those of a watch do.
      for (const item of page.items ?? []) items.push(typed(resource, item));
      next = page.metadata.continue || undefined;
      if (next === undefined) return { items, resourceVersion: page.metadata.resourceVersion };
    }
  }

  #manager(): Query {
    return { fieldManager: this.#options.fieldManager };
  }
}

/** An object on its way in: the server may still have to name it. */
export type Draft<T extends KubeObject> = Omit<T, 'metadata' | 'apiVersion' | 'kind'> & {
  readonly metadata?: Partial<T['metadata']> & { readonly generateName?: string };
};

/** The fields of an object that its applier cares about. */
export type Applied<T extends KubeObject> = DeepPartial<Omit<T, 'metadata'>> & {
  readonly metadata: Partial<T['metadata']> & { readonly name: string };
};

type DeepPartial<T> = T extends readonly (infer Item)[]
  ? readonly Item[]
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> | undefined }
    : T;

type Page<T> = {
  readonly items: readonly T[] | null;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
};

function typed<O extends object>({ apiVersion, kind }: Resource, object: O): O {
  return { apiVersion, kind, ...object };
}

function watchEvent<T extends KubeObject>(request: string, line: unknown): WatchEvent<T> {
  const { type, object } = line as { readonly type: string; readonly object: T | Status };
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: object as T };
    case 'BOOKMARK':
      return { type, resourceVersion: (object as T).metadata.resourceVersion ?? '' };
    default: {
      const status = isStatus(object) ? object : {};
      throw apiError(request, status.code ?? 500, JSON.stringify(object));
    }
  }
}
