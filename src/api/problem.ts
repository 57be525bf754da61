import { cut } from '../text/cut.ts';
import { shown } from '../text/shown.ts';
import { isObject } from './defaults.ts';

/** Something wrong with one field: `spec.training.epochs`, `-3 is not allowed; a whole number from 1 to 10000`. */
export type Problem = { readonly field: string; readonly message: string };

export type Path = readonly (string | number)[];

/** The message of a problem: the value that was given, and what is allowed instead. */
export function notAllowed(value: unknown, allowed: string): string {
  return value === undefined ? `missing; ${allowed}` : `${brief(value)} is not allowed; ${allowed}`;
}

/** A path as a spec's reader writes it: `spec.students[0].name`. */
export function fieldText(path: Path): string {
  if (path.length === 0) return 'the document';
  return path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`;
      if (!/^[A-Za-z_][\w-]*$/.test(key)) return `[${key}]`;
      return index === 0 ? key : `.${key}`;
    })
    .join('');
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, key) => {
    if (Array.isArray(at)) return at[Number(key)];
    return isObject(at) ? at[key] : undefined;
  }, value);
}

const longest = 80;

/** A value on one line, as YAML writes it inline, cut short where it is long. */
export function brief(value: unknown): string {
  const text = inline(value);
  return cut(shown(text), longest);
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (isObject(value)) {
    return `{${Object.entries(value)
      .map(([name, child]) => `${name}: ${inline(child)}`)
      .join(', ')}}`;
  }
  return value === '' ? '""' : String(value);
}
