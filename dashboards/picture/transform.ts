import type { Transformation } from '../grafana/schema.ts';
import type { Cell, Frame, Row } from './frame.ts';

/**
 * Frames after Grafana's transformations, as far as the dashboards use them.
 *
 * @throws RangeError for a transformation that is not known here
 */
export function transform(
  frames: readonly Frame[],
  transformations: readonly Transformation[],
): readonly Frame[] {
  return transformations.reduce((given, { id, options }) => {
    switch (id) {
      case 'merge':
        return [merge(given)];
      case 'organize':
        return given.map((frame) => organize(frame, options));
      case 'convertFieldType':
        return given.map((frame) => convert(frame, options));
      case 'sortBy':
        return given.map((frame) => sortBy(frame, options));
      case 'groupingToMatrix':
        return given.map((frame) => matrix(frame, options));
      default:
        throw new RangeError(`the transformation ${id} cannot be pictured`);
    }
  }, frames);
}

/** Rows that agree in all columns that both have a value in become one; frames without rows are as if not there. */
function merge(all: readonly Frame[]): Frame {
  const frames = all.filter(({ rows }) => rows.length > 0);
  const columns = [...new Set(frames.flatMap((frame) => frame.columns))];
  const rows: Row[] = [];
  for (const frame of frames) {
    // Those of a frame are different: each may become one with a row of frames before it only.
    const before = rows.length;
    for (const row of frame.rows) {
      const index = rows.slice(0, before).findIndex((known) => agree(known, row));
      const known = rows[index];
      if (known === undefined) rows.push(row);
      else rows[index] = { ...known, ...row };
    }
  }
  return { columns, rows };
}

function agree(one: Row, other: Row): boolean {
  return Object.keys(one).every((column) => other[column] === undefined || other[column] === one[column]);
}

type OrganizeOptions = {
  readonly excludeByName: Readonly<Record<string, boolean>>;
  readonly indexByName: Readonly<Record<string, number>>;
  readonly renameByName: Readonly<Record<string, string>>;
};

function organize(frame: Frame, { excludeByName, indexByName, renameByName }: OrganizeOptions): Frame {
  const place = (column: string) => indexByName[column] ?? Number.MAX_SAFE_INTEGER;
  const kept = frame.columns
    .filter((column) => excludeByName[column] !== true)
    .sort((one, other) => place(one) - place(other));
  const renamed = (column: string) => renameByName[column] ?? column;
  return {
    columns: kept.map(renamed),
    rows: frame.rows.map((row) => Object.fromEntries(kept.map((column) => [renamed(column), row[column]]))),
  };
}

type ConvertOptions = { readonly conversions: readonly { readonly targetField: string }[] };

function convert(frame: Frame, { conversions }: ConvertOptions): Frame {
  const numbers = new Set(conversions.map(({ targetField }) => targetField));
  const converted = (row: Row) =>
    Object.fromEntries(
      Object.entries(row).map(([column, cell]) => [column, numbers.has(column) ? Number(cell) : cell]),
    );
  return { ...frame, rows: frame.rows.map(converted) };
}

type SortOptions = { readonly sort: readonly { readonly field: string; readonly desc?: boolean }[] };

function sortBy(frame: Frame, { sort }: SortOptions): Frame {
  const [by] = sort;
  if (by === undefined) return frame;
  return { ...frame, rows: sorted(frame.rows, by.field, by.desc === true) };
}

/** Numbers by size, texts by letters. */
export function sorted(rows: Frame['rows'], column: string, descending: boolean): Frame['rows'] {
  const sign = descending ? -1 : 1;
  return rows.toSorted((one, other) => sign * compare(one[column], other[column]));
}

function compare(one: Cell, other: Cell): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  return String(one ?? '').localeCompare(String(other ?? ''));
}

type MatrixOptions = { readonly rowField: string; readonly columnField: string; readonly valueField: string };

function matrix(frame: Frame, { rowField, columnField, valueField }: MatrixOptions): Frame {
  const corner = `${rowField}\\${columnField}`;
  const names = [...new Set(frame.rows.map((row) => String(row[columnField])))];
  const rows = new Map<string, Record<string, Cell>>();
  for (const row of frame.rows) {
    const key = String(row[rowField]);
    const line = rows.get(key) ?? { [corner]: row[rowField] };
    line[String(row[columnField])] = row[valueField];
    rows.set(key, line);
  }
  return { columns: [corner, ...names], rows: [...rows.values()] };
}
