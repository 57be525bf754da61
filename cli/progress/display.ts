import type { EpochRecord, Run } from '@destillml/core/api/run.ts';

/** Shows people what goes on. */
export interface Display {
  /** Runs as an earlier command left them. */
  earlier(runs: readonly Run[]): void;
  /** A trainer has been started for the Run. */
  started(run: Run): void;
  /** The Run's progress has changed. */
  progress(run: Run): void;
  epoch(run: Run, record: EpochRecord): void;
  /** The Run has ended, waits, or will be tried again. */
  changed(run: Run): void;
  /** A remark of the Run's trainer. */
  note(run: Run, text: string): void;
  say(text: string): void;
  close(): void;
}
