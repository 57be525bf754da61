import { type Html, html } from '../html.ts';
import type { MarkName, Style } from '../series.ts';
import { round } from './frame.ts';

/** Outlines around the origin, of about the same area. */
const outlines: Readonly<Record<MarkName, string>> = {
  square: 'M-5,-5H5V5H-5Z',
  diamond: 'M0,-7L7,0L0,7L-7,0Z',
  circle: 'M-5.6,0A5.6,5.6 0 1 0 5.6,0A5.6,5.6 0 1 0 -5.6,0Z',
  up: 'M0,-7L6.5,5H-6.5Z',
  down: 'M0,7L6.5,-5H-6.5Z',
  cross: 'M-2,-6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z',
  bar: 'M-3,-7H3V7H-3Z',
  star: 'M0,-7.5L2,-2.3L7.4,-2.3L3.1,1.1L4.7,6.6L0,3.3L-4.7,6.6L-3.1,1.1L-7.4,-2.3L-2,-2.3Z',
};

export function mark({ mark, color }: Style, x: number, y: number): Html {
  return html`<path d="${outlines[mark]}" transform="translate(${round(x)} ${round(y)})" fill="${color}" stroke="#fff"/>`;
}

/** What stands for a technique in a legend: its line and its mark. */
export function swatch(style: Style): Html {
  return html`<svg class="swatch" viewBox="0 0 44 16" aria-hidden="true"><line x1="1" x2="43" y1="8" y2="8" stroke="${style.color}" stroke-width="2" stroke-dasharray="${style.dash}"/>${mark(style, 22, 8)}</svg>`;
}
