import type { EpochRecord, Run } from '@destillml/core/api/run.ts';
import type { Output } from '../surroundings.ts';
import type { Display } from './display.ts';
import { epochLine, startLine, statusLine } from './lines.ts';

/** A line per start, epoch and end. */
export class PlainDisplay implements Display {
  readonly #output: Output;
  readonly #label: (run: Run) => string;

  constructor(output: Output, label: (run: Run) => string) {
    this.#output = output;
    this.#label = label;
  }

  started(run: Run): void {
    this.say(startLine(this.#label(run), run));
  }

  progress(): void {}

  epoch(run: Run, record: EpochRecord): void {
    this.say(epochLine(this.#label(run), record, run.status?.progress));
  }

  changed(run: Run): void {
    this.say(statusLine(this.#label(run), run));
  }

  note(run: Run, text: string): void {
    this.say(`${this.#label(run)}: ${text}`);
  }

  say(text: string): void {
    this.#output.write(`${text}\n`);
  }

  close(): void {}
}
