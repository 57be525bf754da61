/** Names that folders, archives, servers and files may have: each has broken a figure, a page or a terminal somewhere. */
export const hostileNames: readonly string[] = [
  '\u001b[31mred\u001b[0m',
  '\u001b]0;title\u0007',
  '\u009b31mred',
  'line\nfeed\r\ttab',
  'nul\u0000',
  'back\u0008space\u007f',
  'gpj.\u202etac',
  '\u2066isolate\u2069\u061c',
  '\ufffe\uffff\ufdd0\u{1fffe}',
  '\ud83d half',
  'half \ude00',
  'zero\u200bwidth\ufeff\u00ad\u2060',
  'separator\u2028\u2029',
  'tag\u{e0041}',
  '<b>&"\'</b>]]>',
  '=1+1,"a"\n',
];

/** Names that are nobody's attack, and stay as they are. */
export const plainNames: readonly string[] = [
  'golden retriever',
  'Früchte',
  '猫',
  'قط',
  'می\u200cخواهم',
  '👨\u200d👩\u200d👧',
  '❤\ufe0f',
  'a\\b',
  'T-shirt/top',
];

/** What no terminal may be sent: C0 but line feeds and tabs, DEL, C1, marks of direction, noncharacters. */
const ranges: readonly (readonly [number, number])[] = [
  [0x00, 0x08],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0x61c, 0x61c],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2066, 0x2069],
  [0xfdd0, 0xfdef],
  [0xfeff, 0xfeff],
  [0xfffe, 0xffff],
];

/** Those of them that a text has. */
export function forTerminals(text: string): string[] {
  return [...text].filter((character) => {
    const code = character.codePointAt(0) ?? 0;
    return ranges.some(([first, last]) => code >= first && code <= last);
  });
}
