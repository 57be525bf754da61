export interface TableGroup {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

/**
 * A table in which each group of rows stands under its title; columns are two spaces apart, and one that no row fills is
 * left out. With a final newline.
 *
 * @param aligned for each column: `start` for texts, `end` for numbers
 */
export function groupedTable(
  head: readonly string[],
  groups: readonly TableGroup[],
  aligned: readonly ('start' | 'end')[],
): string {
  const rows = groups.flatMap((group) => group.rows);
  const widthOf = (column: number) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0));
  const columns = [...aligned.keys()].filter((column) => rows.length === 0 || widthOf(column) > 0);
  const line = (row: readonly string[]) =>
    columns
      .map((column) => {
        const cell = row[column] ?? '';
        const width = Math.max(head[column]?.length ?? 0, widthOf(column));
        return aligned[column] === 'end' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const lines = [line(head), ...groups.flatMap((group) => [group.title, ...group.rows.map(line)])];
  return `${lines.join('\n')}\n`;
}
