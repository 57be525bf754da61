import { markup } from '../text/markup.ts';

/** What a template takes: text is escaped, HTML is not. */
export type Content = Html | string | number | undefined | readonly Content[];

/** Text that is HTML already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * HTML or SVG from a template. Everything put into it is escaped, in elements and in quoted attributes alike, unless a
 * template of this kind made it; undefined is nothing.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(
    strings.map((part, index) => part + (index < values.length ? write(values[index]) : '')).join(''),
  );
}

function write(content: Content): string {
  if (content === undefined) return '';
  if (content instanceof Html) return content.text;
  if (typeof content === 'string') return markup(content);
  if (typeof content === 'number') return String(content);
  return content.map(write).join('');
}
