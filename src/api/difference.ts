import { isObject } from './defaults.ts';
import { brief, fieldText, type Path } from './problem.ts';

type Difference = { readonly path: Path; readonly old: unknown; readonly value: unknown };

/** The first place where two versions of a value differ: ` (optimizer.learningRate was 0.5, now 0.1)`. */
export function differenceText(old: unknown, value: unknown): string {
  const leaf = firstDifference(old, value, []);
  if (leaf === undefined) return '';
  const where = leaf.path.length === 0 ? 'it' : fieldText(leaf.path);
  return ` (${where} was ${valueText(leaf.old)}, now ${valueText(leaf.value)})`;
}

function valueText(value: unknown): string {
  return value === undefined ? 'not set' : brief(value);
}

function firstDifference(old: unknown, value: unknown, path: Path): Difference | undefined {
  if (!isObject(old) || !isObject(value)) {
    return JSON.stringify(old) === JSON.stringify(value) ? undefined : { path, old, value };
  }
  for (const key of new Set([...Object.keys(old), ...Object.keys(value)])) {
    const found = firstDifference(old[key], value[key], [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}
