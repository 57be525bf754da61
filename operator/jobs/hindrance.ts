import type { ObjectCondition } from './objects.ts';

/** Why Kueue will not start a Job that only waits, and what to do. */
export type Hindrance = { readonly reason: string; readonly advice: string };

/**
 * What keeps a Workload from ever being admitted as things are; undefined where it only waits for its turn.
 *
 * `waiting` is its condition `QuotaReserved`, while that is False. Kueue 0.14 – 0.17 have `Inadmissible` and `Pending` for
 * a reason and the rest in words, as pkg/controller/core/workload_controller.go and pkg/scheduler put them; later ones may
 * have a reason of its own for each.
 */
export function hindrance({ reason = '', message = '' }: ObjectCondition): Hindrance | undefined {
  const known = hindrances.find(({ reasons, text }) => reasons.includes(reason) || text.test(message));
  if (known) return { reason: known.reason, advice: known.advice };
  if (/couldn't assign flavors/.test(message)) return noFlavor(message);
  return reason === 'Inadmissible'
    ? { reason, advice: 'kubectl describe localqueue and clusterqueue may say more.' }
    : undefined;
}

const hindrances: readonly (Hindrance & { readonly reasons: readonly string[]; readonly text: RegExp })[] = [
  {
    reason: 'QueueStopped',
    reasons: ['Suspended', 'OnHold'],
    text: /^(Local|Cluster)Queue \S* is stopped$/,
    advice: 'An administrator of Kueue holds it by spec.stopPolicy; it goes on when that is None.',
  },
  {
    reason: 'QueueInactive',
    reasons: ['Misconfigured'],
    text: /^(Local|Cluster)Queue \S* is inactive$/,
    advice:
      'It is stopped (spec.stopPolicy), or lacks a ResourceFlavor or AdmissionCheck that it names: see kubectl describe clusterqueue.',
  },
  {
    reason: 'QueueMissing',
    reasons: [],
    text: /^(Local|Cluster)Queue \S* (doesn't exist|is terminating or missing|not found)$/,
    advice: 'Have it created, or choose another queue in spec.queue.',
  },
  {
    reason: 'NamespaceExcluded',
    reasons: [],
    text: /^Workload namespace doesn't match ClusterQueue selector/,
    advice:
      'Have the labels of the namespace or spec.namespaceSelector of the ClusterQueue changed, or choose another queue in spec.queue.',
  },
  {
    reason: 'ResourcesRefused',
    reasons: [],
    text: /^(resources validation failed|resources didn't satisfy LimitRange constraints)/i,
    advice: 'Correct spec.pod.resources.',
  },
];

const exceeds: Hindrance = {
  reason: 'ExceedsQuota',
  advice: 'Ask for less in spec.pod (gpus, resources), choose another queue, or have its quota raised.',
};

/** A flavor that lacks quota now may have it later; where there is one without another fault, it only waits. */
function noFlavor(message: string): Hindrance | undefined {
  if (/resource \S+ unavailable in ClusterQueue/.test(message)) {
    return {
      reason: 'ResourceNotCovered',
      advice:
        'Leave that resource out of spec.pod, choose another queue, or have it added to the ClusterQueue (spec.resourceGroups).',
    };
  }
  const tooSmall = flavorsIn(message, /insufficient quota for \S+ in flavor ([^\s,;]+)/g);
  const unfit = flavorsIn(
    message,
    /(?:flavor ([^\s,;]+) (?:doesn't match node affinity|not found)|untolerated taint .*? in flavor ([^\s,;]+))/g,
  );
  const hopeful = flavorsIn(message, /insufficient unused quota for \S+ in flavor ([^\s,;]+)/g);
  if (hopeful.some((flavor) => !tooSmall.includes(flavor) && !unfit.includes(flavor))) return undefined;
  if (tooSmall.length > 0) return exceeds;
  if (unfit.length === 0) return undefined;
  return {
    reason: 'NoMatchingFlavor',
    advice:
      'No ResourceFlavor of the queue has the nodes that spec.pod.nodeSelector and spec.pod.tolerations ask for: correct these, or choose another queue.',
  };
}

function flavorsIn(message: string, pattern: RegExp): readonly string[] {
  return [...message.matchAll(pattern)].map(([, one, other]) => one ?? other ?? '');
}
