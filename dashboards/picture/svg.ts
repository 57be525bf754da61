import { cut } from '@destillml/core/text/cut.ts';
import { markup } from '@destillml/core/text/markup.ts';
import { shown } from '@destillml/core/text/shown.ts';
import { theme } from './theme.ts';

export type Area = { readonly width: number; readonly height: number };

export type TextOptions = {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly fill?: string;
  readonly bold?: boolean;
  readonly anchor?: 'start' | 'middle' | 'end';
  /** Cut off, with an ellipsis, what goes beyond. */
  readonly width?: number;
};

export function text(content: string, options: TextOptions): string {
  const { x, y, size, fill = theme.text, bold = false, anchor = 'start', width } = options;
  const line = width === undefined ? shown(content) : fitted(shown(content), width, size);
  const weight = bold ? ' font-weight="bold"' : '';
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}" text-anchor="${anchor}"${weight}>${markup(line)}</text>`;
}

export function rectangle(
  area: Area & { readonly x: number; readonly y: number },
  fill: string,
  border?: string,
): string {
  const { x, y, width, height } = area;
  const stroke = border === undefined ? '' : ` stroke="${border}"`;
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"${stroke}/>`;
}

/** A drawing inside another. */
export function placed(
  content: string,
  { x, y, width, height }: Area & { readonly x: number; readonly y: number },
): string {
  return `<svg x="${x}" y="${y}" width="${width}" height="${height}">${content}</svg>`;
}

/** Width of a text in DejaVu Sans, roughly and rather too much. */
export function widthOf(content: string, size: number): number {
  return content.length * size * 0.62;
}

function fitted(content: string, width: number, size: number): string {
  if (widthOf(content, size) <= width) return content;
  return cut(content, Math.max(2, Math.floor(width / (size * 0.62))));
}
