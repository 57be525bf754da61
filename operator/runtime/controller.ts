import type { Logger } from 'pino';
import { isConflict } from './api-error.ts';
import type { Change } from './cache.ts';
import type { Collection } from './collection.ts';
import { Conflicts } from './conflicts.ts';
import { type KubeObject, keyOf, refOf } from './resource.ts';
import type { WorkQueue } from './work-queue.ts';

/**
 * Brings the world one step nearer to what the object of this key asks for; run again whenever something changes.
 *
 * @param key `namespace/name`; the object may be gone
 * @param signal aborted when the controller stops: what is not done yet is then left to whoever goes on
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult>;

export type ReconcileResult = {
  /** When to look at the object again although nothing changed, in milliseconds. */
  readonly requeueAfter?: number | undefined;
  /** Something is refused, of which the object was told: to be tried again, ever later. */
  readonly retry?: boolean;
};

/** As controller-runtime counts them: `requeue` is a conflict or a refusal, which is tried again. */
export type ReconcileOutcome = 'success' | 'error' | 'requeue' | 'requeue_after';

export type ControllerObserver = {
  started(): void;
  finished(outcome: ReconcileOutcome, seconds: number): void;
};

/** Changes that a controller looks at. */
export type Source = {
  /** Resolved once the first changes have been told of everything that there is. */
  readonly synced: Promise<void>;
  /** @returns what ends it */
  subscribe(enqueue: Enqueue): () => void;
};

/** @param delay milliseconds; of changes that come meanwhile, all are seen by one reconcile */
export type Enqueue = (key: string, delay: number) => void;

export type ControllerOptions = {
  /** In logs and metrics, such as `run`. */
  readonly name: string;
  readonly sources: readonly Source[];
  readonly reconcile: Reconcile;
  readonly queue: WorkQueue;
  /** Objects reconciled at the same time. */
  readonly workers: number;
  readonly log: Logger;
  readonly monotonic: () => number;
  readonly observer?: ControllerObserver;
  /** Told when conflicts do not end: what is known of the world may not be what there is. */
  readonly onEndlessConflicts?: () => void;
};

/**
 * Changes of a collection, as keys of the objects that they matter to.
 *
 * @param delay how long to wait for more changes before an object is reconciled, in milliseconds; not at all unless told
 */
export function watching<T extends KubeObject>(
  { cache, synced }: Pick<Collection<T>, 'cache' | 'synced'>,
  keys: (change: Change<T>) => readonly string[],
  delay: (key: string) => number = () => 0,
): Source {
  return {
    synced,
    subscribe: (enqueue) =>
      cache.subscribe((change) => {
        for (const key of keys(change)) enqueue(key, delay(key));
      }),
  };
}

/** The key of the changed object itself. */
export function itself<T extends KubeObject>({ object }: Change<T>): readonly string[] {
  return [keyOf(object.metadata)];
}

/** Whether more has changed than what was observed of the object. */
export function changesSpec<T extends KubeObject>(change: Change<T>): boolean {
  return change.type !== 'updated' || change.old.metadata.generation !== change.object.metadata.generation;
}

/** The key of the object's controller, before and after the change, if that is of this kind; it is in the same namespace. */
export function itsController<T extends KubeObject>(kind: string): (change: Change<T>) => readonly string[] {
  return (change) => {
    const objects = change.type === 'updated' ? [change.old, change.object] : [change.object];
    return objects.flatMap(({ metadata: { namespace, ownerReferences = [] } }) =>
      ownerReferences
        .filter((owner) => owner.controller === true && owner.kind === kind)
        .map(({ name }) => keyOf({ name, namespace })),
    );
  };
}

/**
 * Reconciles the objects whose keys its sources name, until `signal` is aborted.
 *
 * Begins once all sources are synced, so that nothing is decided on half of what there is. A reconcile that fails is
 * logged and tried again, ever later. @returns once no reconcile runs any more
 */
export async function runController(options: ControllerOptions, signal: AbortSignal): Promise<void> {
  const { sources, queue, workers } = options;
  const enqueue: Enqueue = (key, delay) => (delay > 0 ? queue.addAfter(key, delay) : queue.add(key));
  const unsubscribes = sources.map((source) => source.subscribe(enqueue));
  try {
    await unlessAborted(Promise.all(sources.map(({ synced }) => synced)), signal);
    if (signal.aborted) return;
    const conflicts = new Conflicts(options.monotonic);
    const work = Array.from({ length: workers }, () => workOn(options, conflicts, signal));
    await unlessAborted(new Promise<never>(() => undefined), signal);
    await queue.shutDown();
    await Promise.all(work);
  } finally {
    for (const unsubscribe of unsubscribes) unsubscribe();
    await queue.shutDown();
  }
}

async function workOn(options: ControllerOptions, conflicts: Conflicts, signal: AbortSignal): Promise<void> {
  const { queue } = options;
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    await reconcileOnce(options, conflicts, key, signal);
    queue.done(key);
  }
}

async function reconcileOnce(
  { name, reconcile, queue, log, monotonic, observer, onEndlessConflicts }: ControllerOptions,
  conflicts: Conflicts,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const started = monotonic();
  const finish = (outcome: ReconcileOutcome) => observer?.finished(outcome, (monotonic() - started) / 1000);
  observer?.started();
  try {
    const { requeueAfter, retry = false } = await reconcile(key, signal);
    conflicts.over(key);
    if (retry) {
      queue.retry(key);
      finish('requeue');
      return;
    }
    queue.forget(key);
    if (requeueAfter !== undefined) queue.addAfter(key, requeueAfter);
    finish(requeueAfter === undefined ? 'success' : 'requeue_after');
  } catch (error) {
    queue.retry(key);
    const failures = queue.failures(key);
    if (!isConflict(error)) {
      conflicts.over(key);
      const seen = { controller: name, ...refOf(key), failures: failures - 1, err: error };
      if (!signal.aborted) log.error(seen, 'reconcile failed');
    } else if (conflicts.met(key)) {
      const seen = { controller: name, ...refOf(key), failures, err: error };
      log.warn(seen, 'conflicts do not end: everything is listed again');
      onEndlessConflicts?.();
    }
    finish(isConflict(error) || signal.aborted ? 'requeue' : 'error');
  }
}

/** Settles with the promise, or once the signal is aborted, whichever is first. */
function unlessAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = () => {
      signal.removeEventListener('abort', finish);
      resolve();
    };
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
    promise.then(finish, reject);
  });
}
