/** Sequences that cli-progress writes: to move up, to a column, and to clear the rest of a line or of the screen. */
const sequence = new RegExp(`^${String.fromCharCode(27)}\\[\\??(\\d*)([A-Za-z])`);

/** What a terminal shows after all of this was written to it: its lines. */
export function screenOf(text: string): readonly string[] {
  const lines: string[] = [''];
  let [row, column] = [0, 0];
  for (let rest = text; rest !== ''; ) {
    const [found, count = '', letter] = sequence.exec(rest) ?? [];
    rest = rest.slice(found?.length ?? 1);
    const line = lines[row] ?? '';
    if (found === undefined) {
      const character = text.charAt(text.length - rest.length - 1);
      if (character === '\n') {
        [row, column] = [row + 1, 0];
        if (lines.length <= row) lines.push('');
        continue;
      }
      lines[row] = line.padEnd(column).slice(0, column) + character + line.slice(column + 1);
      column += 1;
    } else if (letter === 'A') row = Math.max(0, row - Number(count || 1));
    else if (letter === 'G') column = Number(count || 1) - 1;
    else if (letter === 'K') lines[row] = line.slice(0, column);
    else if (letter === 'J') lines.splice(row, lines.length, line.slice(0, column));
  }
  return lines.map((line) => line.trimEnd());
}
