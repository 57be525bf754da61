import { type Logger, pino } from 'pino';

/** A log whose lines a test reads. */
export function capturedLog(): { readonly log: Logger; readonly lines: Readonly<Record<string, unknown>>[] } {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const log = pino(
    { base: null, timestamp: false },
    { write: (line: string) => lines.push(JSON.parse(line)) },
  );
  return { log, lines };
}
