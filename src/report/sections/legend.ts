import { swatch } from '../charts/mark.ts';
import { type Html, html } from '../html.ts';
import type { Style } from '../series.ts';

/** What the colours, dashes and marks of the charts below stand for. */
export function legend(techniques: readonly string[], styleOf: (technique: string) => Style): Html {
  const entries = techniques.map((name) => html`<li>${swatch(styleOf(name))}${name}</li>`);
  return html`<ul class="legend">${entries}</ul>
`;
}
