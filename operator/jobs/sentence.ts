import { shownLines } from '@destillml/core/text/shown.ts';

/** What another component says, as a sentence of its own. */
export function sentence(text: string): string {
  const trimmed = shownLines(text.trim());
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
