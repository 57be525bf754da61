import { type Run, runs } from '../controllers/kinds.ts';
import type { Refusals } from '../controllers/refusals.ts';
import { attempt, WriteRefused } from '../controllers/write-refused.ts';
import type { ApiClient } from '../runtime/api-client.ts';
import { isConflict, isNotFound } from '../runtime/api-error.ts';
import type { Cache } from '../runtime/cache.ts';
import { keyOf } from '../runtime/resource.ts';
import type { RunRef, TrainerStatus } from './progress-writer.ts';

export type WriteStatusDeps = {
  /** Its field manager owns what trainers report. */
  readonly client: Pick<ApiClient, 'applyStatus' | 'get'>;
  readonly cache: Pick<Cache<Run>, 'get' | 'wrote'>;
  readonly refusals: Pick<Refusals, 'tell' | 'settled'>;
};

const maxAttempts = 4;

/**
 * Makes this the Run's `status.progress` and `status.history`, by server-side apply.
 *
 * The API server does not look at `metadata.uid` where a status is written: that the write is for this Run, and not for
 * a new one of its name, is ensured by the version of an object whose uid was looked at.
 *
 * @returns whether it is written; false if the Run is gone
 * @throws WriteRefused, of which the Run is told; ApiError, ConnectionError, and the reason of `signal`
 */
export async function writeStatus(
  { namespace, name, uid }: RunRef,
  status: TrainerStatus,
  { client, cache, refusals }: WriteStatusDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const ref = { namespace, name };
  let known = cache.get(keyOf(ref));
  try {
    for (let tries = 1; ; tries++) {
      known ??= await client.get(runs, ref, signal);
      const { uid: current, resourceVersion } = known.metadata;
      if (current !== uid) break;
      try {
        const metadata = { ...ref, uid, resourceVersion };
        const applied = client.applyStatus(runs, { metadata, status }, signal);
        cache.wrote(await attempt('What its trainer reports cannot be written', applied));
        refusals.settled(keyOf(ref));
        return true;
      } catch (error) {
        if (error instanceof WriteRefused) refusals.tell(known, error);
        if (!isConflict(error) || tries === maxAttempts) throw error;
        // It has changed since, or is another one.
        known = undefined;
      }
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  refusals.settled(keyOf(ref));
  return false;
}
