import type { EpochRecord, Run } from '@destillml/core/api/run.ts';
import { shownLines } from '@destillml/core/text/shown.ts';
import { MultiBar, type SingleBar } from 'cli-progress';
import type { Output } from '../surroundings.ts';
import type { Display } from './display.ts';
import { barLine, statusLine } from './lines.ts';

/** A line's end, without what a bar may have left behind it. */
const clearedEnd = '\u001b[0K\n';

/** One bar for every Run in training, and above them a line for everything that has ended. */
export class BarsDisplay implements Display {
  readonly #output: Output;
  readonly #label: (run: Run) => string;
  readonly #bars: MultiBar;
  /** A bar keeps its line; the next Run that starts takes a line that has become free. */
  readonly #lines: { readonly bar: SingleBar; run: Run | undefined }[] = [];

  constructor(output: Output, label: (run: Run) => string) {
    this.#output = output;
    this.#label = label;
    this.#bars = new MultiBar({
      stream: output as NodeJS.WritableStream,
      format: (_options, _params, payload: { run?: Run }) => this.#render(payload.run),
      hideCursor: true,
      clearOnComplete: true,
      // Bars are cut to fit; messages above them may wrap.
      linewrap: true,
      // Ctrl-C is handled by the command: bars go on while trainers write their checkpoints.
      gracefulExit: false,
    });
  }

  started(run: Run): void {
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
  }

  epoch(_run: Run, _record: EpochRecord): void {}

  changed(run: Run): void {
    const line = this.#lineOf(run);
    if (line) {
      line.run = undefined;
      line.bar.update(0, { run: undefined });
    }
    this.say(statusLine(this.#label(run), run));
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
    return barLine(this.#label(run), run.status?.progress, (this.#output.columns ?? 80) - 1);
  }
}
