/**
 * Whether maps depend on what a network has learned: the model parameter randomisation test of Adebayo et al., "Sanity
 * Checks for Saliency Maps", NeurIPS 2018, section 3.1, all layers at once.
 */
import type { MapName } from '@destillml/core/api/explain.ts';
import { buildNetwork } from '../models/registry.ts';
import { kaiming } from '../nn/initial.ts';
import { Variables } from '../nn/variables.ts';
import { type ExplainDeps, type ExplainedBy, type ExplainOptions, explain } from './explain.ts';
import { methodDefaults } from './methods.ts';
import { agreementOf, type NetworkAgreement } from './quality.ts';
import type { ExplainedImage, ExplainedNetwork } from './subject.ts';

/** Maps pass if the mean rank correlation with those of random weights is nearer to 0. */
const mostAlike = 0.5;

export interface SanityCheck extends NetworkAgreement {
  readonly passes: boolean;
}

export type SanityChecks = Partial<Record<MapName, SanityCheck>>;

/**
 * Explains the same classes of the same images by the network with random weights, and compares the maps.
 *
 * @param trained what the network's own maps are.
 * @returns nothing for a network that is not one of ours: it cannot be built with other weights.
 */
export async function sanityOf(
  network: ExplainedNetwork,
  trained: ExplainedBy,
  images: readonly ExplainedImage[],
  options: ExplainOptions,
  deps: ExplainDeps = {},
): Promise<SanityChecks> {
  const target = trained.explanations.map((explanation) => explanation.target);
  const asked = { ...options, target, faithfulness: false };
  if (network.model === undefined) return {};
  const random = randomised(network, (options.seed ?? methodDefaults.seed) + 1);
  const [explained] = await explain([random], images, asked, deps);
  return explained ? sanityChecks(trained, explained) : {};
}

/** The same architecture before any training, from another seed. */
export function randomised(network: ExplainedNetwork, seed: number): ExplainedNetwork {
  const { model } = network;
  if (model === undefined) throw new RangeError(`${network.name} cannot be built anew`);
  return {
    ...network,
    name: `${network.name}, random weights`,
    open: () => buildNetwork(model, { ...network, variables: new Variables(kaiming(seed)) }),
  };
}

/**
 * Compares maps of a trained network with maps of the same classes by its randomised version.
 *
 * @param random explained with `target` set to the classes that `trained` explained.
 */
export function sanityChecks(trained: ExplainedBy, random: ExplainedBy): SanityChecks {
  return Object.fromEntries(
    Object.entries(agreementOf(trained, random)).map(([name, found]) => [
      name,
      { ...found, passes: Math.abs(found.spearman.mean) < mostAlike },
    ]),
  );
}
