/** What stands in a tar archive about an entry: POSIX.1-2017, pax, "ustar Interchange Format", and GNU's additions. */

/** Header and content are so many bytes, or a whole number of times as many. */
export const block = 512;

/** Makes the error of what is damaged. */
export type Damaged = (what: string) => Error;

export interface Header {
  readonly name: string;
  /** Where a link leads. */
  readonly target: string;
  /** Bytes of content. */
  readonly size: number;
  /** One character. */
  readonly type: string;
}

/** What stands before an entry about it. */
export type About = Partial<Omit<Header, 'type'>>;

/** The header; undefined where it says that the archive ends. */
export function parseHeader(header: Buffer, damaged: Damaged): Header | undefined {
  if (header.every((byte) => byte === 0)) return undefined;
  const stated = Number.parseInt(text(header.subarray(148, 156)).trim(), 8);
  let sum = 8 * 32;
  for (let i = 0; i < block; i++) if (i < 148 || i >= 156) sum += header[i] ?? 0;
  if (stated !== sum) throw damaged('not a tar archive, or damaged: wrong header checksum');
  const name = text(header.subarray(0, 100));
  const isUstar = header.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? text(header.subarray(345, 500)) : '';
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    target: text(header.subarray(157, 257)),
    size: sizeIn(header.subarray(124, 136), damaged),
    type: String.fromCharCode(header[156] ?? 0),
  };
}

/** Whether an entry of this type is no file: it is about the next entry, about all of them, or about the archive. */
export function isDescription(type: string): boolean {
  return ['L', 'K', 'x', 'g', 'V'].includes(type);
}

/** What a description of this type says of the next entry. */
export function described(type: string, content: Buffer, damaged: Damaged): About {
  switch (type) {
    case 'L':
      return { name: text(content) };
    case 'K':
      return { target: text(content) };
    case 'x': {
      const { path: name, linkpath: target, size } = paxRecords(content, damaged);
      return {
        ...(name !== undefined && { name }),
        ...(target !== undefined && { target }),
        ...(size !== undefined && { size: wholeNumber(size, 10, damaged) }),
      };
    }
    default:
      return {};
  }
}

function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

/** Octal digits, or, as GNU writes what is too large for them, a first bit and a binary number. */
function sizeIn(field: Buffer, damaged: Damaged): number {
  const first = field[0] ?? 0;
  if (first < 0x80) return wholeNumber(text(field).trim() || '0', 8, damaged);
  const digits = Buffer.from(field);
  digits[0] = first & 0x7f;
  return wholeNumber(digits.toString('hex'), 16, damaged);
}

function wholeNumber(digits: string, base: 8 | 10 | 16, damaged: Damaged): number {
  const allowed = { 8: /^[0-7]+$/, 10: /^[0-9]+$/, 16: /^[0-9a-f]+$/ }[base];
  const number = allowed.test(digits) ? Number.parseInt(digits, base) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw damaged(`damaged: the size ${digits} is no number,`);
}

/** Records "LENGTH KEY=VALUE\n" of a pax extended header; a value may hold line feeds, so only the length counts. */
function paxRecords(content: Buffer, damaged: Damaged): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (let start = 0; start < content.length; ) {
    const space = content.indexOf(0x20, start);
    const length = Number(content.toString('latin1', start, Math.max(start, space)));
    const end = start + length;
    const equals = content.indexOf(0x3d, space);
    const isRecord = space > start && Number.isInteger(length) && equals > space && equals < end;
    if (!isRecord || end > content.length || content[end - 1] !== 0x0a)
      throw damaged('damaged: no pax header');
    found[content.toString('utf8', space + 1, equals)] = content.toString('utf8', equals + 1, end - 1);
    start = end;
  }
  return found;
}
