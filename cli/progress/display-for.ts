import type { Run } from '@destillml/core/api/run.ts';
import type { Surroundings } from '../surroundings.ts';
import { BarsDisplay } from './bars.ts';
import type { Display } from './display.ts';
import { PlainDisplay } from './plain.ts';

/**
 * Bars on a terminal; plain lines into a file, in CI (`CI`), for a simple terminal (`TERM=dumb`), with `NO_COLOR` or
 * with `--plain`.
 *
 * @param label name of a Run for people.
 */
export function displayFor(
  { stderr, terminal, env }: Pick<Surroundings, 'stderr' | 'terminal' | 'env'>,
  isPlain: boolean,
  label: (run: Run) => string,
): Display {
  const isSimple = isPlain || env.CI || env.NO_COLOR || env.TERM === 'dumb';
  return terminal.isTTY && !isSimple ? new BarsDisplay(terminal, label) : new PlainDisplay(stderr, label);
}
