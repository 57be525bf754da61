/** Columns that text for people is broken at. */
const width = 80;

/** The text with lines of at most 80 columns, as far as its words allow; what is broken off is indented by two more. */
export function wrap(text: string): string {
  return text.split('\n').map(wrapLine).join('\n');
}

function wrapLine(line: string): string {
  if (line.length <= width) return line;
  const indent = /^ */.exec(line)?.[0] ?? '';
  const [first = '', ...words] = line.slice(indent.length).split(' ');
  const lines: string[] = [];
  let last = indent + first;
  for (const word of words) {
    if (last.length + 1 + word.length <= width) {
      last += ` ${word}`;
    } else {
      lines.push(last);
      last = `${indent}  ${word}`;
    }
  }
  return [...lines, last].join('\n');
}
