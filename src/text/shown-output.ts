import { shownLines } from './shown.ts';

/** Somewhere that texts are written to. */
interface Output {
  write(text: string): unknown;
}

/** Writes to `output` what terminals may show, whoever wrote it. Lines of JSON, as logs are, stay the same JSON. */
export function shownOutput(output: Output): Output {
  return { write: (text) => output.write(shownLines(text)) };
}
