import { type Area, rectangle, text, widthOf } from '../svg.ts';
import { theme } from '../theme.ts';

export type Entry = { readonly name: string; readonly color: string; readonly value?: string };

const line = 17;
const size = 11;

/** Lines that a legend of so many entries takes: a third of the panel at most. */
export function legendHeight(entries: readonly Entry[], { width, height }: Area): number {
  const lines = Math.ceil(entries.length / columnsIn(entries, width));
  return Math.min(lines, Math.max(1, Math.floor(height / 3 / line))) * line + 4;
}

/** Names and last values, in columns; what there is no room for is counted. */
export function legend(
  entries: readonly Entry[],
  { width, height, top }: Area & { readonly top: number },
): string {
  const columns = columnsIn(entries, width);
  const room = Math.floor((height - top) / line) * columns;
  const shown = entries.length > room ? entries.slice(0, room - 1) : entries;
  const column = width / columns;
  const drawn = shown.map(({ name, color, value = '' }, index) => {
    const x = (index % columns) * column + 10;
    const y = top + Math.floor(index / columns) * line + 4;
    const valueWidth = widthOf(value, size);
    return [
      rectangle({ x, y: y + 5, width: 14, height: 4 }, color),
      text(name, { x: x + 20, y: y + 11, size, width: column - valueWidth - 44 }),
      text(value, { x: x + column - 20, y: y + 11, size, anchor: 'end', fill: theme.faint }),
    ].join('');
  });
  const left = entries.length - shown.length;
  const more =
    left === 0
      ? ''
      : text(`and ${left} more`, { x: width - column + 30, y: height - 6, size, fill: theme.faint });
  return drawn.join('') + more;
}

/** As many as the longest entry has room in: six at most. */
function columnsIn(entries: readonly Entry[], width: number): number {
  const wants = entries.map(({ name, value = '' }) => widthOf(name, size) + widthOf(value, size) + 60);
  return Math.min(6, Math.max(1, Math.floor(width / Math.max(...wants))));
}
