/**
 * Characters that do not show as what they are: they move a terminal's cursor, turn the direction of writing, cannot be
 * seen, or may not stand in XML. Controls (C0, DEL, C1), surrogates without their other half, line and paragraph
 * separators, noncharacters, marks of direction, everything that is drawn as nothing.
 *
 * What joins letters and chooses their variants is a part of words and emoji, and stays.
 */
const hidden =
  /[[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u{fff9}-\u{fffb}]--[\p{Join_Control}\p{Variation_Selector}]]/gv;
const hiddenInLines = new RegExp(`(?![\\n\\t])${hidden.source}`, hidden.flags);

/**
 * A name from outside (a folder, a file, an entry of an archive, what a server calls something) on one line, as anything
 * may show it: every hidden character is written as JSON does, such as `\u001b` or `\u202e`.
 */
export function shown(text: string): string {
  return text.replaceAll(hidden, escaped);
}

/** A text of several lines, as anything may show it: as `shown`, with its line feeds and tabs. JSON stays the same JSON. */
export function shownLines(text: string): string {
  return text.replaceAll(hiddenInLines, escaped);
}

/** A character beyond the first 65,536 is two of JSON's escapes. */
function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('');
}
