/** Explanations as numbers: how faithful they are, and whether two networks look at the same places. */
import { type MapName, mapNames } from '@destillml/core/api/explain.ts';
import { type Spread, spread } from '@destillml/core/plan/spread.ts';
import { type Agreement, agreement } from './agreement.ts';
import type { ExplainedBy, Explanation } from './explain.ts';

/** One network's maps by one method, over images. */
export interface Quality {
  readonly insertion?: Spread | undefined;
  readonly deletion?: Spread | undefined;
  /** Of random maps of the same resolution. */
  readonly randomInsertion?: Spread | undefined;
  readonly randomDeletion?: Spread | undefined;
  /** Of LIME's local models. */
  readonly r2?: Spread | undefined;
  /** Largest error of additivity (SHAP). */
  readonly additivityError?: number | undefined;
}

type ByMap<T> = Partial<Record<MapName, T>>;

/** Quality of a network's maps by every method that it was explained by. */
export function qualityOf({ explanations }: ExplainedBy): ByMap<Quality> {
  return byMap(explanations, (name) => {
    const over = (value: (explanation: Explanation) => number | undefined) =>
      spread(explanations.flatMap((explanation) => value(explanation) ?? []));
    const errors = explanations.flatMap(({ maps }) => maps[name]?.additivity?.error ?? []);
    return {
      insertion: over(({ faithfulness }) => faithfulness?.[name]?.map.insertion),
      deletion: over(({ faithfulness }) => faithfulness?.[name]?.map.deletion),
      randomInsertion: over(({ faithfulness }) => faithfulness?.[name]?.random.insertion),
      randomDeletion: over(({ faithfulness }) => faithfulness?.[name]?.random.deletion),
      r2: over(({ maps }) => maps[name]?.r2),
      ...(errors.length > 0 && { additivityError: Math.max(...errors) }),
    };
  });
}

/** Agreement of two networks' maps of the same images. */
export interface NetworkAgreement extends Agreement {
  /** Share of the images for which both explain the same class, 0 – 1. */
  readonly sameClass: number;
}

/** How alike the maps of two networks are that explained the same images, by every method that both used. */
export function agreementOf(first: ExplainedBy, second: ExplainedBy): ByMap<NetworkAgreement> {
  const pairs = first.explanations.flatMap((one, index) => {
    const other = second.explanations[index];
    return other === undefined ? [] : [[one, other] as const];
  });
  const sameClass = pairs.filter(([one, other]) => one.target === other.target).length / pairs.length;
  const found: ByMap<NetworkAgreement> = {};
  for (const name of mapNames) {
    const maps = pairs.flatMap(([one, other]) => {
      const [a, b] = [one.maps[name]?.values, other.maps[name]?.values];
      return a === undefined || b === undefined ? [] : [[a, b] as const];
    });
    if (maps.length > 0) found[name] = { ...agreement(maps), sameClass };
  }
  return found;
}

function byMap<T>(explanations: readonly Explanation[], value: (name: MapName) => T): ByMap<T> {
  const present = mapNames.filter((name) => explanations[0]?.maps[name] !== undefined);
  return Object.fromEntries(present.map((name) => [name, value(name)]));
}
