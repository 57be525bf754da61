import type { PanelJson } from '../../grafana/schema.ts';
import { continuous, overrideOf } from '../color.ts';
import { format } from '../format.ts';
import type { Cell, Frame } from '../frame.ts';
import { type Area, rectangle, text, widthOf } from '../svg.ts';
import { theme } from '../theme.ts';
import { sorted } from '../transform.ts';

const line = 24;
const size = 12;

/** Rows as long as there is room. Cells are coloured where the panel says so. */
export function table(panel: PanelJson, frame: Frame, { width, height }: Area): string {
  const { columns } = frame;
  const [by] = panel.options?.sortBy ?? [];
  const rows = by === undefined ? frame.rows : sorted(frame.rows, by.displayName, by.desc === true);
  const fitting = rows.slice(0, Math.floor(height / line) - (rows.length * line > height - line ? 2 : 1));
  const texts = (row: Frame['rows'][number]) => columns.map((column) => shownIn(panel, column, row[column]));
  const lefts = edges([columns.map((column) => titleOf(panel, column)), ...fitting.map(texts)], width);
  const [low, high] = spanOf(panel, frame);
  const cells = fitting.flatMap((row, index) =>
    texts(row).map((content, column) => {
      const [left = 0, right = width] = [lefts[column], lefts[column + 1]];
      const y = (index + 1) * line;
      const value = row[columns[column] ?? ''];
      const ground = isColored(panel, columns[column] ?? '') && typeof value === 'number';
      const color = ground ? continuous(high > low ? (value - low) / (high - low) : 0.5) : undefined;
      const cell =
        color === undefined
          ? ''
          : rectangle({ x: left, y, width: right - left - 1, height: line - 1 }, color);
      const fill = color === undefined ? theme.text : readableOn(color);
      return cell + text(content, { x: left + 8, y: y + 16, size, fill, width: right - left - 10 });
    }),
  );
  const heads = columns.map((column, index) =>
    text(titleOf(panel, column), {
      x: (lefts[index] ?? 0) + 8,
      y: 16,
      size,
      fill: '#6ea8fe',
      width: (lefts[index + 1] ?? width) - (lefts[index] ?? 0) - 10,
    }),
  );
  const left = rows.length - fitting.length;
  const more = left === 0 ? '' : text(`and ${left} more`, { x: 8, y: height - 8, size, fill: theme.faint });
  return heads.join('') + cells.join('') + more;
}

/** Left edges of the columns, and the right edge of the last: as wide as their texts, in proportion. */
function edges(rows: readonly (readonly string[])[], width: number): readonly number[] {
  const wants = (rows[0] ?? []).map(
    (_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? '', size))) + 18,
  );
  const scale = width / wants.reduce((sum, want) => sum + want, 0);
  let edge = 0;
  return [0, ...wants.map((want) => (edge += want * scale))];
}

function shownIn(panel: PanelJson, column: string, cell: Cell): string {
  if (cell === undefined) return '';
  if (typeof cell === 'string') return cell;
  const own = overrideOf(panel, column, 'unit');
  const decimals = overrideOf(panel, column, 'decimals');
  const { defaults } = panel.fieldConfig;
  return format(
    cell,
    typeof own === 'string' ? own : (defaults.unit ?? 'short'),
    typeof decimals === 'number' ? decimals : defaults.decimals,
  );
}

function titleOf(panel: PanelJson, column: string): string {
  const name = overrideOf(panel, column, 'displayName');
  return typeof name === 'string' ? name : column;
}

function isColored(panel: PanelJson, column: string): boolean {
  return (
    overrideOf(panel, column, 'custom.cellOptions') !== undefined ||
    (panel.fieldConfig.defaults.custom?.cellOptions?.type === 'color-background' &&
      overrideOf(panel, column, 'custom.align') === undefined)
  );
}

/** Smallest and largest value that the colours stand for: of the panel, or else of its coloured cells. */
function spanOf(panel: PanelJson, { columns, rows }: Frame): readonly [number, number] {
  const { min, max } = panel.fieldConfig.defaults;
  const colored = columns.filter((column) => isColored(panel, column));
  const values = rows
    .flatMap((row) => colored.map((column) => row[column]))
    .filter((cell) => typeof cell === 'number');
  return [min ?? Math.min(...values), max ?? Math.max(...values)];
}

/** Black on what is light, white on what is dark. */
function readableOn(color: string): string {
  const [red = 0, green = 0, blue = 0] = (color.match(/\d+/g) ?? []).map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? '#111111' : '#ffffff';
}
