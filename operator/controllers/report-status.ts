import type { ApiClient, Applied } from '../runtime/api-client.ts';
import { isNotFound } from '../runtime/api-error.ts';
import type { Cache } from '../runtime/cache.ts';
import type { EventRecorder, Happening } from '../runtime/events.ts';
import type { KubeObject, Resource } from '../runtime/resource.ts';
import { attempt, type Refusal } from './write-refused.ts';

export type ReportDeps<T extends KubeObject> = {
  readonly client: Pick<ApiClient, 'applyStatus'>;
  readonly cache: Pick<Cache<T>, 'wrote'>;
  readonly recorder: Pick<EventRecorder, 'record'>;
};

/**
 * Writes the status of an object, and tells what is new in it.
 *
 * @param refused what the status is about, which was told of already
 */
export async function reportStatus<T extends KubeObject>(
  resource: Resource<T>,
  { metadata: { name, namespace, uid, resourceVersion } }: T,
  status: object,
  happenings: readonly Happening[],
  { client, cache, recorder }: ReportDeps<T>,
  signal: AbortSignal,
  refused?: Refusal,
): Promise<void> {
  try {
    // With the version it was decided on: whoever leads no longer, or knows less, overwrites nothing.
    const object = { metadata: { name, namespace, uid, resourceVersion }, status } as unknown as Applied<T>;
    cache.wrote(await attempt('Its status cannot be written', client.applyStatus(resource, object, signal)));
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  for (const happening of happenings) {
    if (happening.note !== refused?.message) recorder.record(happening);
  }
}
