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
 * The paused trial that goes on next, by algorithm 2 of Li et al. 2020, "A System for Massively Parallel
 * Hyperparameter Tuning": from the highest rung down, the best trial that is among the best ⌊n / eta⌋ of the n that
 * reported the rung, and waits there. Of equals the lower number is better. Trials of a bracket are compared with
 * each other.
 *
 * What was reported counts, whatever became of the trial afterwards: one that failed later keeps its place. A trial
 * without a report at a rung is not known there: it is neither counted nor promoted.
 */
export function promotion(
  settings: AshaSettings,
  epochs: number,
  trials: readonly Trial[],
): Promotion | undefined {
  const rungs = rungsOf(settings, epochs);
  const brackets = Map.groupBy(trials, (trial) => bracketOf(settings, epochs, trial.number));
  for (let rung = rungs.length - 2; rung >= 0; rung--) {
    const [here, next] = [rungs[rung], rungs[rung + 1]];
    if (here === undefined || next === undefined) continue;
    for (const bracket of [...brackets.keys()].sort((a, b) => a - b)) {
      if (bracket > rung) continue;
      const number = promotable(settings.eta, brackets.get(bracket) ?? [], here, next);
      if (number !== undefined) return { number, untilEpoch: next };
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
  const reached = trials
    .filter((trial) => trial.state !== 'failed')
    .map((trial) => trial.reports.at(-1)?.epoch ?? 0)
    .sort((a, b) => b - a);
  const furthest = reached[count - 1] ?? 0;
  return rungsOf(settings, epochs).findLast((rung) => rung <= furthest);
}

/** The best that waits, if it is among the best ⌊n / eta⌋: counted, as to sort ten thousand takes longer. */
function promotable(eta: number, trials: readonly Trial[], here: number, next: number): number | undefined {
  let entries = 0;
  let best: Entry | undefined;
  for (const trial of trials) {
    const entry = entryAt(trial, here);
    if (entry === undefined) continue;
    entries++;
    const waits = trial.state === 'paused' && entry.last < next;
    if (waits && (best === undefined || isBetter(entry, best))) best = entry;
  }
  const places = Math.floor(entries / eta);
  if (best === undefined || places === 0) return undefined;
  let ahead = 0;
  for (const trial of trials) {
    const entry = entryAt(trial, here);
    if (entry !== undefined && isBetter(entry, best)) ahead++;
  }
  return ahead < places ? best.number : undefined;
}

type Entry = { readonly number: number; readonly value: number; readonly last: number };

/** What a trial reported at a rung; undefined while it has not come there. */
function entryAt(trial: Trial, here: number): Entry | undefined {
  const { number, reports } = trial;
  const last = reports.at(-1)?.epoch ?? 0;
  if (last < here) return undefined;
  // What skipped the report of this rung and has one of a later epoch counts with the first that it has.
  const value = valueAfter(trial, here) ?? reports[0]?.value ?? 0;
  return { number, value, last };
}

function isBetter(one: Entry, other: Entry): boolean {
  return one.value > other.value || (one.value === other.value && one.number < other.number);
}
