import type { EpochRecord, Run } from '@destillml/core/api/run.ts';
import { cut } from '@destillml/core/text/cut.ts';
import type { Output } from '../surroundings.ts';
import { Board } from './board.ts';
import type { Display } from './display.ts';
import { epochLine, startLine, statusLine } from './lines.ts';

/** Columns of the line that tells of a new best trial. */
const width = 80;

/** A line per start, epoch and end; of the trials of a search, which are many, one where it is left and one if it is the best. */
export class PlainDisplay implements Display {
  readonly #output: Output;
  readonly #label: (run: Run) => string;
  readonly #board: Board;

  constructor(output: Output, label: (run: Run) => string) {
    this.#output = output;
    this.#label = label;
    this.#board = new Board(label);
  }

  started(run: Run): void {
    if (run.spec.trial === undefined) this.say(startLine(this.#label(run), run));
  }

  progress(): void {}

  epoch(run: Run, record: EpochRecord): void {
    if (run.spec.trial === undefined) this.say(epochLine(this.#label(run), record, run.status?.progress));
  }

  changed(run: Run): void {
    this.say(statusLine(this.#label(run), run));
    const best = this.#board.newBest(run);
    if (best !== undefined) this.say(cut(best, width));
  }

  earlier(runs: readonly Run[]): void {
    for (const run of runs) this.#board.newBest(run);
  }

  note(run: Run, text: string): void {
    this.say(`${this.#label(run)}: ${text}`);
  }

  say(text: string): void {
    this.#output.write(`${text}\n`);
  }

  close(): void {}
}
