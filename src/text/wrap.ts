/** The text with lines of at most `width` columns, as far as its words allow; what is broken off is indented by two more. */
export function wrap(text: string, width = 80): string {
  return text
    .split('\n')
    .map((line) => wrapLine(line, width))
    .join('\n');
}

function wrapLine(line: string, width: number): string {
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
