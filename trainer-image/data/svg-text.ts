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
  const short = content.length > most ? `${content.slice(0, most - 1)}…` : content;
  const safe = short.replace(/[&<>]/g, (char) => `&#${char.charCodeAt(0)};`);
  const weight = bold ? ' font-weight="bold"' : '';
  const font = 'font-family="DejaVu Sans, Liberation Sans, sans-serif"';
  return `<text x="${x}" y="${y}" ${font} font-size="${size}"${weight} fill="${colour}">${safe}</text>`;
}
