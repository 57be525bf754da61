import { type Trial, valueAfter } from './trial.ts';

export type AshaSettings = {
  /** Epochs of the lowest rung. */
  readonly minEpochs: number;
  /** One of so many goes on to the next rung, which has so many times the epochs. */
  readonly eta: number;
  /** Hyperband's: trials of bracket b, from 0, train to rung b at first. */
  readonly brackets: number;
};

export type Promotion = { readonly number: number; readonly untilEpoch: number };

/** The epochs at which trials are compared, and, last, those of a whole training. */
export function rungsOf({ minEpochs, eta }: AshaSettings, epochs: number): readonly number[] {
  const rungs: number[] = [];
  for (let rung = minEpochs; rung < epochs; rung = Math.max(Math.round(rung * eta), rung + 1))
    rungs.push(rung);
  return [...rungs, epochs];
}

/**
 * The bracket of a trial, from 0. As in Hyperband (Li et al. 2018) a bracket that begins s rungs below the top has a
 * share of the trials in proportion to eta^s / (s + 1), so that all cost about the same; the multiples of the golden
 * ratio deal them out evenly, whatever number the study ends at.
 */
export function bracketOf(settings: AshaSettings, epochs: number, number: number): number {
  if (settings.brackets === 1) return 0;
  const rungs = rungsOf(settings, epochs).length;
  const count = Math.min(settings.brackets, rungs);
  const shares = Array.from({ length: count }, (_, b) => settings.eta ** (rungs - 1 - b) / (rungs - b));
  let left = ((number * 0.6180339887498949) % 1) * shares.reduce((sum, share) => sum + share, 0);
  for (const [bracket, share] of shares.entries()) {
    left -= share;
    if (left < 0) return bracket;
  }
  return count - 1;
}

/** The epochs that a trial trains at first. */
export function firstRungOf(settings: AshaSettings, epochs: number, number: number): number {
  return rungsOf(settings, epochs)[bracketOf(settings, epochs, number)] ?? epochs;
}

/**
 * What some trials reported, by bracket and rung, best first. Those of many trials may be given in parts: one that has
 * changed makes one part new.
 */
export type Standings = ReadonlyMap<string, Standing>;

type Standing = {
  readonly entries: readonly Entry[];
  /** Those of them that may go on. */
  readonly waiting: readonly Entry[];
};

/**
 * What was reported counts, whatever became of the trial afterwards: one that failed later keeps its place. A trial
 * without a report at a rung is not known there: it is neither counted nor promoted.
 */
export function standings(settings: AshaSettings, epochs: number, trials: readonly Trial[]): Standings {
  const rungs = rungsOf(settings, epochs);
  const brackets = Map.groupBy(trials, (trial) => bracketOf(settings, epochs, trial.number));
  return new Map(
    [...brackets].flatMap(([bracket, its]) =>
      rungs.slice(0, -1).map((here, rung) => {
        const next = rungs[rung + 1] ?? epochs;
        const entries = its.flatMap((trial) => entryAt(trial, here, next) ?? []).sort(compare);
        return [placeOf(bracket, rung), { entries, waiting: entries.filter(({ waits }) => waits) }];
      }),
    ),
  );
}

/**
 * The paused trial that goes on next, by algorithm 2 of Li et al. 2020, "A System for Massively Parallel
 * Hyperparameter Tuning": from the highest rung down, the best trial that is among the best ⌊n / eta⌋ of the n that
 * reported the rung, and waits there. Of equals the lower number is better. Trials of a bracket are compared with
 * each other.
 *
 * @param promoted numbers of trials that were promoted since they were given: they wait no more
 */
export function promotion(
  settings: AshaSettings,
  epochs: number,
  parts: readonly Standings[],
  promoted: ReadonlySet<number> = new Set(),
): Promotion | undefined {
  const rungs = rungsOf(settings, epochs);
  for (let rung = rungs.length - 2; rung >= 0; rung--) {
    for (let bracket = 0; bracket <= Math.min(rung, settings.brackets - 1); bracket++) {
      const place = placeOf(bracket, rung);
      const here = parts.flatMap((part) => part.get(place) ?? []);
      const number = promotable(settings.eta, here, promoted);
      if (number !== undefined) return { number, untilEpoch: rungs[rung + 1] ?? epochs };
    }
  }
  return undefined;
}

/** The highest rung that as many trials have reported; undefined if none has. */
export function reportedRung(
  settings: AshaSettings,
  epochs: number,
  trials: readonly Trial[],
  count: number,
): number | undefined {
  return rungsOf(settings, epochs).findLast((rung) => {
    let reached = 0;
    for (const { state, reports } of trials) {
      if (state !== 'failed' && (reports.at(-1)?.epoch ?? 0) >= rung) reached++;
      if (reached === count) return true;
    }
    return false;
  });
}

/** The best that waits, if it is among the best ⌊n / eta⌋. */
function promotable(
  eta: number,
  parts: readonly Standing[],
  promoted: ReadonlySet<number>,
): number | undefined {
  let best: Entry | undefined;
  let count = 0;
  for (const { entries, waiting } of parts) {
    count += entries.length;
    const first = waiting.find(({ number }) => !promoted.has(number));
    if (first !== undefined && (best === undefined || compare(first, best) < 0)) best = first;
  }
  if (best === undefined) return undefined;
  let ahead = 0;
  for (const { entries } of parts) ahead += numberAhead(entries, best);
  return ahead < Math.floor(count / eta) ? best.number : undefined;
}

function numberAhead(entries: readonly Entry[], one: Entry): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = entries[middle];
    if (other !== undefined && compare(other, one) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

type Entry = { readonly number: number; readonly value: number; readonly waits: boolean };

/** What a trial reported at a rung; undefined while it has not come there. */
function entryAt(trial: Trial, here: number, next: number): Entry | undefined {
  const { number, reports, state } = trial;
  const last = reports.at(-1)?.epoch ?? 0;
  if (last < here) return undefined;
  // What skipped the report of this rung and has one of a later epoch counts with the first that it has.
  const value = valueAfter(trial, here) ?? reports[0]?.value ?? 0;
  return { number, value, waits: state === 'paused' && last < next };
}

/** The better one first. */
function compare(one: Entry, other: Entry): number {
  return other.value - one.value || one.number - other.number;
}

function placeOf(bracket: number, rung: number): string {
  return `${bracket}/${rung}`;
}
