import { cut } from '@destillml/core/text/cut.ts';
import { markup } from '@destillml/core/text/markup.ts';
import { shown } from '@destillml/core/text/shown.ts';

export interface TextStyle {
  /** Of the font. Pixels. */
  readonly size: number;
  /** Characters; longer texts end with an ellipsis. */
  readonly most: number;
  readonly bold?: boolean;
  readonly colour?: string;
}

/** A line of text as an SVG element, from `x` on its baseline `y`; anything may stand in it. */
export function svgText(
  content: string,
  x: number,
  y: number,
  { size, most, bold, colour = '#000000' }: TextStyle,
): string {
  const weight = bold ? ' font-weight="bold"' : '';
  const font = 'font-family="DejaVu Sans, Liberation Sans, sans-serif"';
  return `<text x="${x}" y="${y}" ${font} font-size="${size}"${weight} fill="${colour}">${markup(cut(shown(content), most))}</text>`;
}
