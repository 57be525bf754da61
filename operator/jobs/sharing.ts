import type { Experiment } from '@destillml/core/api/experiment.ts';

/**
 * Whether Experiments of that namespace may know of this one and use its networks: those of its own may, and those that
 * its owner named in `spec.sharedWith`. To all others it must look as if it did not exist.
 */
export function isSharedWith({ metadata, spec }: Experiment, namespace: string): boolean {
  const { sharedWith = [] } = spec;
  return (
    (metadata.namespace ?? 'default') === namespace ||
    sharedWith.includes('*') ||
    sharedWith.includes(namespace)
  );
}
