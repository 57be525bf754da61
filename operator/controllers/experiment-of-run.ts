import type { Cache } from '../runtime/cache.ts';
import { keyOf } from '../runtime/resource.ts';
import type { Experiment, Run } from './kinds.ts';

/**
 * The Experiment that a Run is of, by its name; undefined where there is none. One that was deleted and made again under
 * its name is another one.
 */
export function experimentOfRun(
  { metadata, spec }: Run,
  experiments: Pick<Cache<Experiment>, 'get'>,
): Experiment | undefined {
  const { namespace, ownerReferences } = metadata;
  const experiment = experiments.get(keyOf({ namespace, name: spec.experiment }));
  const owner = ownerReferences?.find(({ kind, controller }) => controller && kind === 'Experiment');
  return owner === undefined || owner.uid === experiment?.metadata.uid ? experiment : undefined;
}
