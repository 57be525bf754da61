import { Cache, type CacheOptions } from '../../../operator/runtime/cache.ts';
import type { KubeObject } from '../../../operator/runtime/resource.ts';

/** What is known of a kind, without a watch: a test says what there is. */
export function known<T extends KubeObject>(
  objects: readonly T[],
  indexers: CacheOptions<T>['indexers'] = {},
): { readonly cache: Cache<T>; isSynced: boolean } {
  const cache = new Cache<T>({
    indexers,
    onHandlerError: (error) => {
      throw error;
    },
  });
  cache.replace(objects);
  return { cache, isSynced: true };
}
