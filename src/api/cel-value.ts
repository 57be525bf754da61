import { isObject } from './defaults.ts';
import { valueAt } from './problem.ts';
import { escapedField } from './rules.ts';
import type { Structural } from './schema.ts';

/** The value as CEL sees it: integers are 64-bit, fields have CEL's names, maps are maps. */
export function celValue(schema: Structural, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : inAnyOrder(schema, value).map((item) => celValue(items, item));
  }
  if (isObject(value)) {
    const { properties, additionalProperties } = schema;
    if (additionalProperties !== undefined) {
      return new Map(
        Object.entries(value).map(([key, child]) => [key, celValue(additionalProperties, child)]),
      );
    }
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, child]) => {
        const childSchema = properties?.[key];
        return childSchema === undefined ? [] : [[escapedField(key), celValue(childSchema, child)]];
      }),
    );
  }
  const isInteger = schema.type === 'integer' || schema['x-kubernetes-int-or-string'] === true;
  return isInteger && typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
}

/** Kubernetes compares lists by key and sets without regard to their order. */
function inAnyOrder(schema: Structural, items: readonly unknown[]): readonly unknown[] {
  if (schema['x-kubernetes-list-type'] === undefined) return items;
  const keys = schema['x-kubernetes-list-map-keys'];
  const identity = (item: unknown) => JSON.stringify(keys?.map((key) => valueAt(item, [key])) ?? item);
  return items.toSorted((a, b) => (identity(a) < identity(b) ? -1 : 1));
}
