import type { DistillationObjective } from '../api/distillation.ts';

/** The terms of an arm in words, with the papers that they come from. */
export function techniqueText(terms: DistillationObjective): string {
  const { softTargets, similarityPreserving, attentionTransfer, hints } = terms;
  const parts = [
    softTargets &&
      `soft targets (Hinton et al. 2015), temperature ${softTargets.temperature}, weight ${softTargets.weight}`,
    similarityPreserving &&
      `similarity preserving (Tung and Mori 2019), weight ${similarityPreserving.weight}`,
    attentionTransfer &&
      `attention transfer (Zagoruyko and Komodakis 2017), weight ${attentionTransfer.weight}`,
    hints && `hints (Romero et al. 2015) at stage ${hints.stage}, weight ${hints.weight}`,
  ];
  return parts.filter((part) => part !== undefined).join('; ');
}
