import type { Pod as PodSpec } from '@destillml/core/api/pod.ts';

type Quantities = Record<string, string>;
type Asked = NonNullable<NonNullable<PodSpec['resources']>['requests']>;

/** Requests and limits of the trainer. GPUs cannot be overcommitted, so both name the same number. */
export function resources(pod: PodSpec, gpuResource: string): { requests: Quantities; limits: Quantities } {
  const gpus: Quantities = pod.gpus === 0 ? {} : { [gpuResource]: String(pod.gpus) };
  return {
    requests: { ...asText(pod.resources?.requests), ...gpus },
    limits: { ...asText(pod.resources?.limits), ...gpus },
  };
}

function asText(quantities: Asked | undefined): Quantities {
  return Object.fromEntries(Object.entries(quantities ?? {}).map(([name, value]) => [name, String(value)]));
}
