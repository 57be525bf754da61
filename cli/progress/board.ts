import type { Run } from '@destillml/core/api/run.ts';
import { bestFirst, byStudy, counts, type Trial, trialOf } from '@destillml/core/results/trials.ts';
import { cut } from '@destillml/core/text/cut.ts';
import { shown } from '@destillml/core/text/shown.ts';
import { labelWidth } from './lines.ts';

const title = 'best trials';

/** Lines of the table, beside its head. */
const mostRows = 5;

/** Lines of it in all. */
export const boardLines = 1 + mostRows;

interface Seen {
  readonly run: Run;
  readonly trial: Trial;
}

/** The best trials of a search, as far as they are known. */
export class Board {
  readonly #label: (run: Run) => string;
  readonly #seen = new Map<string, Seen>();
  readonly #best = new Map<string, number>();

  constructor(label: (run: Run) => string) {
    this.#label = label;
  }

  /** Takes note of how far a trial has come; Runs that are none are not looked at. */
  note(run: Run): void {
    const trial = trialOf(run);
    if (trial === undefined) return;
    // Those that came last are those whose study is under way.
    this.#seen.delete(run.metadata.name);
    this.#seen.set(run.metadata.name, { run, trial });
  }

  /** `small/soft t33  best so far: …` where the trial is better than all that ended before; else nothing. */
  newBest(run: Run): string | undefined {
    const trial = trialOf(run);
    if (trial === undefined || !counts(trial)) return undefined;
    const before = this.#best.get(trial.study) ?? -1;
    if (trial.validationAccuracy <= before) return undefined;
    this.#best.set(trial.study, trial.validationAccuracy);
    return `${this.#label(run).padEnd(labelWidth)}  best so far: ${summaryOf(run)}`;
  }

  /** A head, and at most five lines: with several studies under way the best of each, then what comes next in each. */
  lines(width: number): readonly string[] {
    const rows = this.#rows();
    if (rows.length === 0) return [];
    const names = rows.map(({ run }) => cut(shown(this.#label(run)), labelWidth));
    const longest = Math.max(title.length, ...names.map(({ length }) => length));
    const head = `${title.padEnd(longest)}  val %  epochs`;
    const lines = rows.map((row, index) => `${(names[index] ?? '').padEnd(longest)}  ${valuesOf(row)}`);
    return [head, ...lines].map((line) => cut(line, width));
  }

  #rows(): readonly Seen[] {
    const recent = [...this.#seen.values()].reverse();
    const known = new Map(recent.map((seen) => [seen.trial, seen]));
    const studies = byStudy(recent.map(({ trial }) => trial).filter(counts)).map(([, trials]) =>
      bestFirst(trials),
    );
    const longest = Math.max(0, ...studies.map(({ length }) => length));
    const taken: Trial[] = [];
    for (let rank = 0; rank < longest && taken.length < mostRows; rank++) {
      taken.push(...studies.flatMap((trials) => trials[rank] ?? []).slice(0, mostRows - taken.length));
    }
    // In places that do not change when the other study has news.
    return bestFirst(taken)
      .toSorted((a, b) => a.study.localeCompare(b.study))
      .flatMap((trial) => known.get(trial) ?? []);
  }
}

function valuesOf({ run, trial }: Seen): string {
  const { epochs, epochsInAll, validationAccuracy = 0 } = trial;
  const accuracy = (100 * validationAccuracy).toFixed(1).padStart(5);
  return `${accuracy}  ${`${epochs}/${epochsInAll}`.padStart(6)}  ${summaryOf(run)}`;
}

function summaryOf(run: Run): string {
  return shown(run.spec.trial?.summary ?? '');
}
