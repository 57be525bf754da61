import type { EpochRecord, Run } from '@destillml/core/api/run.ts';
import { phaseOf } from '@destillml/core/plan/phases.ts';
import { shownLines } from '@destillml/core/text/shown.ts';
import { MultiBar, type SingleBar } from 'cli-progress';
import type { Output } from '../surroundings.ts';
import { Board, boardLines } from './board.ts';
import type { Display } from './display.ts';
import { barLine, statusLine } from './lines.ts';

/** A line's end, without what a bar may have left behind it. */
const clearedEnd = '\u001b[0K\n';

/**
 * One bar for every Run in training, and above them a line for everything that has ended. Of a search there is a table
 * of the best trials instead of a line for each that was left well.
 */
export class BarsDisplay implements Display {
  readonly #output: Output;
  readonly #label: (run: Run) => string;
  readonly #bars: MultiBar;
  /** A bar keeps its line; the next Run that starts takes a line that has become free. */
  readonly #lines: { readonly bar: SingleBar; run: Run | undefined }[] = [];

  readonly #board: Board;
  /** Lines of the table, from the first trial on: its head and its rows. */
  readonly #rows: SingleBar[] = [];

  constructor(output: Output, label: (run: Run) => string) {
    this.#output = output;
    this.#label = label;
    this.#board = new Board(label);
    this.#bars = new MultiBar({
      stream: output as NodeJS.WritableStream,
      format: (_options, _params, payload: { run?: Run; text?: string }) =>
        payload.text ?? this.#render(payload.run),
      hideCursor: true,
      clearOnComplete: true,
      // A line above moves all of them down, also those that have nothing new to show.
      forceRedraw: true,
      // Bars are cut to fit; messages above them may wrap.
      linewrap: true,
      // Ctrl-C is handled by the command: bars go on while trainers write their checkpoints.
      gracefulExit: false,
    });
  }

  earlier(runs: readonly Run[]): void {
    for (const run of runs) this.#board.note(run);
  }

  started(run: Run): void {
    if (run.spec.trial !== undefined) this.#showBoard();
    const free = this.#lines.find((line) => line.run === undefined);
    if (free) free.run = run;
    else this.#lines.push({ bar: this.#bars.create(1, 0, { run }), run });
    this.progress(run);
  }

  progress(run: Run): void {
    const line = this.#lineOf(run);
    if (line === undefined) return;
    line.run = run;
    line.bar.update(0, { run });
    this.#board.note(run);
    this.#fillBoard();
  }

  epoch(_run: Run, _record: EpochRecord): void {}

  changed(run: Run): void {
    const line = this.#lineOf(run);
    if (line) {
      line.run = undefined;
      line.bar.update(0, { run: undefined });
    }
    this.#board.note(run);
    this.#fillBoard();
    if (run.spec.trial === undefined || !isLeftWell(run)) this.say(statusLine(this.#label(run), run));
  }

  note(run: Run, text: string): void {
    this.say(`${this.#label(run)}: ${text}`);
  }

  say(text: string): void {
    const lines = `${shownLines(text)}\n`;
    if (this.#lines.length === 0) this.#output.write(lines);
    else this.#bars.log(lines.replaceAll('\n', clearedEnd));
  }

  close(): void {
    if (this.#lines.length === 0) return;
    // Writes the lines that are still waiting.
    this.#bars.update();
    this.#bars.stop();
  }

  #lineOf(run: Run) {
    return this.#lines.find((line) => line.run?.metadata.name === run.metadata.name);
  }

  #render(run: Run | undefined): string {
    if (run === undefined) return '';
    const { progress } = run.status ?? {};
    const { untilEpoch } = run.spec;
    // One that will be paused is shown as far as to there.
    const shown =
      progress && untilEpoch ? { ...progress, epochs: Math.max(untilEpoch, progress.epoch) } : progress;
    return barLine(this.#label(run), shown, this.#width);
  }

  get #width(): number {
    return (this.#output.columns ?? 80) - 1;
  }

  /** Has room for the whole table, so that bars do not move when it grows. */
  #showBoard(): void {
    while (this.#rows.length < boardLines) this.#rows.push(this.#bars.create(1, 0, { text: '' }));
    this.#fillBoard();
  }

  #fillBoard(): void {
    if (this.#rows.length === 0) return;
    const lines = this.#board.lines(this.#width);
    this.#rows.forEach((row, index) => {
      row.update(0, { text: lines[index] ?? '' });
    });
  }
}

/** A trial that came as far as it was to: there is a next one, and the table has it if it is good. */
function isLeftWell(run: Run): boolean {
  const phase = phaseOf(run);
  return phase === 'Paused' || phase === 'Succeeded' || phase === 'Stopped';
}
