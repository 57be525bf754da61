import { contains, sizeOf, valueFrom } from './dimension.ts';
import { type Evidence, improvements, split } from './evidence.ts';
import { freshValues, isTaken } from './fresh.ts';
import { draw, logDensities, parzen, rampedWeights } from './parzen.ts';
import type { Random } from './random.ts';
import { childrenOf, rootsOf, type Space, type Values } from './space.ts';

/** Drawn from the density of the good ones; the one is taken whose densities differ most. */
const candidates = 24;
/** The most observations of the density of the others: a suggestion costs no more for ten thousand trials. */
const mostAbove = 500;

/**
 * A configuration by the tree-structured Parzen estimator (Bergstra et al. 2011; Watanabe 2023) with the rules of
 * Optuna 5's TPESampler, multivariate and with its constant liar: the best tenth of the trials, 25 at most, make one
 * density, all others and what is under way another one, and the candidate is taken that is likelier in the first.
 * Random ones until `startup` trials are known. Two rules are Watanabe's, not Optuna's: good trials count by how good
 * they are, and kernels of numbers without steps may be narrower.
 *
 * Dimensions that exist under the same condition are modelled together, from the trials in which they all exist, as
 * Optuna's `group` does: first those that always exist, then those that exist because of what was chosen.
 */
export function tpeValues(
  space: Space,
  evidence: readonly Evidence[],
  taken: readonly Values[],
  startup: number,
  random: Random,
): Values | undefined {
  const known = evidence.filter(({ reached }) => reached !== undefined).length;
  if (known >= Math.max(startup, 1)) {
    const { below, above } = split(evidence, Math.min(Math.ceil(known / 10), 25));
    const ranked = (group: Space) => rankedCandidates(group, below, above, random);
    const found = firstFresh(space, taken, ranked);
    if (found !== undefined) return found;
  }
  return freshValues(space, taken, (dimension) => valueFrom(dimension, random()), random);
}

/**
 * The best candidates of the dimensions that always exist, each with the best ones of what exists because of it, until
 * a configuration is found that no trial has.
 */
function firstFresh(
  space: Space,
  taken: readonly Values[],
  ranked: (group: Space) => readonly Values[],
): Values | undefined {
  // A group's candidates are drawn when it is first come to, and once.
  const drawn = new Map<string, readonly Values[]>();
  const candidatesOf = (group: Space) => {
    const name = group.map((dimension) => dimension.name).join('\0');
    const known = drawn.get(name) ?? ranked(group);
    drawn.set(name, known);
    return known;
  };
  let tries = candidates ** 2;
  const complete = (values: Values, open: readonly Space[]): Values | undefined => {
    const [group, ...others] = open;
    if (group === undefined) {
      tries--;
      return isTaken(space, taken, values) ? undefined : values;
    }
    for (const candidate of candidatesOf(group)) {
      if (tries <= 0) return undefined;
      const below = group
        .map((dimension) => childrenOf(space, dimension, candidate[dimension.name] ?? ''))
        .filter((children) => children.length > 0);
      const found = complete({ ...values, ...candidate }, [...others, ...below]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return complete({}, [rootsOf(space)]);
}

/** What is drawn for some dimensions from the density of the good ones, the most promising first. */
function rankedCandidates(
  group: Space,
  below: readonly Evidence[],
  above: readonly Evidence[],
  random: Random,
): readonly Values[] {
  const free = group.filter((dimension) => sizeOf(dimension) > 1);
  const fixed = Object.fromEntries(
    group.filter((one) => sizeOf(one) === 1).map((one) => [one.name, valueFrom(one, 0)]),
  );
  const good = ofGroup(free, below);
  const bad = thinned(ofGroup(free, above).map(({ values }) => values));
  const densityOfGood = parzen(
    free,
    good.map(({ values }) => values),
    improvements(good, above),
  );
  const densityOfBad = parzen(
    free,
    bad.map(({ values }) => values),
    bad.map(({ weight }) => weight),
  );
  const drawn = Array.from({ length: candidates }, () => draw(densityOfGood, random));
  const likelier = logDensities(densityOfGood, drawn);
  const rarer = logDensities(densityOfBad, drawn);
  return drawn
    .map((values, i) => ({ values, gain: (likelier[i] ?? 0) - (rarer[i] ?? 0) }))
    .sort((a, b) => b.gain - a.gain)
    .map(({ values }) => ({ ...fixed, ...values }));
}

/** The trials in which all these dimensions exist, with values that they still have. */
function ofGroup(group: Space, evidence: readonly Evidence[]): readonly Evidence[] {
  return evidence.filter(({ values }) =>
    group.every((dimension) => contains(dimension, values[dimension.name])),
  );
}

/**
 * With their weights; of more than 500 the newest half of that, and of the older ones as many at even distances,
 * each of which stands for those that are left out.
 */
function thinned(
  observed: readonly Values[],
): readonly { readonly values: Values; readonly weight: number }[] {
  const weights = rampedWeights(observed.length);
  const all = observed.map((values, i) => ({ values, weight: weights[i] ?? 1 }));
  if (all.length <= mostAbove) return all;
  const half = mostAbove / 2;
  const older = all.slice(0, -half);
  const stride = older.length / half;
  const some = Array.from({ length: half }, (_, i) => older[Math.floor((i + 0.5) * stride)] ?? older[0]);
  return [
    ...some.flatMap((one) =>
      one === undefined ? [] : [{ values: one.values, weight: one.weight * stride }],
    ),
    ...all.slice(-half),
  ];
}
