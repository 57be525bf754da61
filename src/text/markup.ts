import { shownLines } from './shown.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A text as it stands in HTML and XML, in elements and in quoted attributes alike. */
export function markup(text: string): string {
  return shownLines(text).replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
