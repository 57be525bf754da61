import { DestillError } from '@destillml/core/errors.ts';
import { shown } from '@destillml/core/text/shown.ts';

/** A data file that is not what it should be: which file, what is wrong (with the byte offset), what to do. */
export function corrupt(file: string, what: string, remedy: string, cause?: unknown): DestillError {
  return new DestillError('DatasetCorrupt', `${shown(file)}: ${shown(what)}. ${remedy}`, { cause });
}

/** The message of anything that was thrown. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
