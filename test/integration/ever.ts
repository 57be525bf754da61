import { Cache } from '../../operator/runtime/cache.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import { ListWatch } from '../../operator/runtime/list-watch.ts';
import type { KubeObject, Resource } from '../../operator/runtime/resource.ts';
import type { Access } from '../cluster/client.ts';
import { clientOn, connect } from './runtime-fixtures.ts';

/** Uids by name of every object there ever was in a namespace, from now on. */
export type Ever = ReadonlyMap<string, ReadonlySet<string>>;

export type Watching = {
  ever<T extends KubeObject>(resource: Resource<T>, namespace: string): Ever;
  /** Ends all of it. */
  stop(): Promise<void>;
};

/** Looks at the API server itself, whatever stands between it and an operator. */
export function watchAll(access: Access): Watching {
  const connection = connect(access);
  const ending = new AbortController();
  const watches: Promise<void>[] = [];
  return {
    ever: (resource, namespace) => {
      const ever = new Map<string, Set<string>>();
      const cache = new Cache<KubeObject>({ onHandlerError: () => undefined });
      cache.subscribe(({ object: { metadata } }) => {
        ever.set(metadata.name, (ever.get(metadata.name) ?? new Set()).add(metadata.uid ?? ''));
      });
      const watch = new ListWatch<KubeObject>({
        client: clientOn(connection),
        resource,
        cache,
        clock: systemClock,
        random: Math.random,
        selection: { namespace },
      });
      watches.push(watch.run(ending.signal));
      return ever;
    },
    stop: async () => {
      ending.abort(new Error('the test is over'));
      await Promise.all(watches);
      connection.close();
    },
  };
}
