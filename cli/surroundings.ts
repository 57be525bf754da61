import type { Trainer } from './running/trainer.ts';

/** Somewhere to write to: a terminal, a file, or a test. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Everything a command touches that is not a file. */
export interface Surroundings {
  /** For results: what one would pipe into a file. */
  readonly stdout: Output;
  /** For progress, notes and errors. */
  readonly stderr: Output;
  /** As stderr, for what moves the cursor itself: no text from outside is written there as it came. */
  readonly terminal: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
  readonly trainer: Trainer;
  /** Calls the listener for every SIGINT and SIGTERM, instead of ending the process, until the returned function is called. */
  readonly onInterrupt: (listener: () => void) => () => void;
  /** Waits, then calls back; the returned function gives up waiting. */
  readonly after: (milliseconds: number, callback: () => void) => () => void;
}
