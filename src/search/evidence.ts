import type { Values } from './space.ts';
import { type Trial, valueAfter } from './trial.ts';

/** What a model of the search knows of a trial. */
export type Evidence = {
  readonly number: number;
  readonly values: Values;
  /** How far it trained, Infinity if as far as trials are compared at; undefined while nothing is known of it. */
  readonly reached?: number | undefined;
  /** What it reached there. */
  readonly value: number;
};

/**
 * Each trial as evidence, in the order of their numbers. Failed ones say nothing, nor do those that ended well without
 * a report; one that runs, or is paused, without one counts as pending.
 *
 * `epoch` is where trials are compared, if that is earlier than their end: what has reported it counts there, whatever
 * became of it. Without it the trials that succeeded are compared, and those still running are pending.
 */
export function evidenceOf(trials: readonly Trial[], epoch?: number): readonly Evidence[] {
  return trials
    .filter((trial) => trial.state !== 'failed')
    .flatMap((trial) => known(trial, epoch) ?? [])
    .sort((a, b) => a.number - b.number);
}

/**
 * The best `count` of those of which something is known, and all others, each in the order of their numbers. Better
 * is what went further, then what reached more, then the lower number.
 */
export function split(
  evidence: readonly Evidence[],
  count: number,
): { readonly below: readonly Evidence[]; readonly above: readonly Evidence[] } {
  // Sorted as it grows, and never longer than `count`: ten thousand trials are not sorted for 25.
  const best: Evidence[] = [];
  for (const one of evidence) {
    if (one.reached === undefined || count === 0) continue;
    const worst = best.at(-1);
    if (best.length === count && worst !== undefined && compare(one, worst) > 0) continue;
    const place = best.findIndex((other) => compare(one, other) < 0);
    best.splice(place < 0 ? best.length : place, 0, one);
    if (best.length > count) best.pop();
  }
  const chosen = new Set(best);
  return {
    below: best.sort((a, b) => a.number - b.number),
    above: evidence.filter((one) => !chosen.has(one)),
  };
}

/**
 * How much better each of the good ones is than the best of the others, in the mean of that: the density of the good is
 * then the expected improvement that it stands for (Watanabe 2023, the weights "EI"). Ones if not all of them went
 * equally far, as one of the others did: what they reached is not compared then.
 */
export function improvements(good: readonly Evidence[], others: readonly Evidence[]): readonly number[] {
  const reached = good[0]?.reached;
  const alike = good.every((one) => one.reached === reached);
  let best = Number.NEGATIVE_INFINITY;
  for (const other of others) if (other.reached === reached && other.value > best) best = other.value;
  const mean = good.reduce((sum, { value }) => sum + value - best, 0) / good.length;
  // Not where all are equal, nor where nothing is known to compare with.
  const isKnown = alike && mean > 0 && mean < Number.POSITIVE_INFINITY;
  return good.map(({ value }) => (isKnown ? (value - best) / mean : 1));
}

function known(trial: Trial, epoch: number | undefined): Evidence | undefined {
  const { number, values, state } = trial;
  const last = trial.reports.at(-1);
  if (epoch !== undefined && last !== undefined && last.epoch >= epoch) {
    const value = valueAfter(trial, epoch) ?? trial.reports[0]?.value ?? last.value;
    return { number, values, reached: Number.POSITIVE_INFINITY, value };
  }
  if (state === 'running' || (state === 'paused' && last === undefined)) return { number, values, value: 0 };
  if (state === 'succeeded') {
    return last && { number, values, reached: Number.POSITIVE_INFINITY, value: last.value };
  }
  return { number, values, reached: last?.epoch ?? 0, value: last?.value ?? Number.NEGATIVE_INFINITY };
}

function compare(a: Evidence, b: Evidence): number {
  if (a.reached !== b.reached) return (b.reached ?? -1) > (a.reached ?? -1) ? 1 : -1;
  return b.value - a.value || a.number - b.number;
}
