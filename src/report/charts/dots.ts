import { type Html, html } from '../html.ts';
import { round } from './frame.ts';

/** Dots of one colour as one line without length for each: a thousand are as small as they can be. */
export function dots(
  places: readonly (readonly [x: number, y: number])[],
  color: string,
  size: number,
): Html | undefined {
  if (places.length === 0) return undefined;
  const path = places.map(([x, y]) => `M${round(x)},${round(y)}h0`).join('');
  return html`<path d="${path}" stroke="${color}" stroke-width="${size}" stroke-linecap="round" stroke-opacity="0.75"/>`;
}
