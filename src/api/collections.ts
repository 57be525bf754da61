import { isObject } from './defaults.ts';
import { fieldText, notAllowed, type Path, type Problem, valueAt } from './problem.ts';
import type { Structural } from './schema.ts';

/** What the list type and the size of a map forbid: duplicates and too many keys. */
export function collectionProblems(schema: Structural, value: unknown, path: Path): Problem[] {
  if (Array.isArray(value)) return duplicates(schema, value, path);
  const { maxProperties } = schema;
  if (maxProperties === undefined || !isObject(value) || Object.keys(value).length <= maxProperties)
    return [];
  return [
    {
      field: fieldText(path),
      message: `${Object.keys(value).length} keys are not allowed; at most ${maxProperties}`,
    },
  ];
}

function duplicates(schema: Structural, items: readonly unknown[], path: Path): Problem[] {
  if (schema['x-kubernetes-list-type'] === undefined) return [];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const seen = new Map<string, number>();
  return items.flatMap((item, index) => {
    const within = keys.length === 0 ? item : keys.map((key) => valueAt(item, [key]));
    if (keys.length > 0 && keys.some((key) => valueAt(item, [key]) === undefined)) return [];
    const identity = JSON.stringify(within);
    const first = seen.get(identity);
    if (first === undefined) {
      seen.set(identity, index);
      return [];
    }
    const at = keys.length === 1 ? [...path, index, ...keys] : [...path, index];
    return [
      {
        field: fieldText(at),
        message: notAllowed(
          valueAt(items, at.slice(path.length)),
          `used already by ${fieldText([...path, first])}`,
        ),
      },
    ];
  });
}
