import type { EpochRecord, Run } from '@destillml/core/api/run.ts';
import type { Surroundings } from '../surroundings.ts';
import { BarsDisplay } from './bars.ts';
import { PlainDisplay } from './plain.ts';

/** Shows people what goes on. */
export interface Display {
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

/**
 * Bars on a terminal; plain lines into a file, in CI (`CI`), for a simple terminal (`TERM=dumb`), with `NO_COLOR` or
 * with `--plain`.
 *
 * @param label name of a Run for people.
 */
export function displayFor(
  { stderr, env }: Pick<Surroundings, 'stderr' | 'env'>,
  isPlain: boolean,
  label: (run: Run) => string,
): Display {
  const isSimple = isPlain || env.CI || env.NO_COLOR || env.TERM === 'dumb';
  return stderr.isTTY && !isSimple ? new BarsDisplay(stderr, label) : new PlainDisplay(stderr, label);
}
