import { z } from 'zod';

/**
 * A condition between fields, as Kubernetes writes it: a CEL expression over `self` (and `oldSelf` in updates).
 *
 * The message says what is allowed: it is read after the field and the value that was given.
 */
export type Rule = {
  readonly rule: string;
  readonly message: string;
  /** Field that is wrong, from `self`, such as `.schedule.warmupEpochs`. */
  readonly fieldPath?: string;
};

export const rulesKey = 'x-kubernetes-validations';

/** The schema with more rules; they are checked offline and by the API server alike. */
export function withRules<S extends z.ZodType>(schema: S, ...rules: readonly Rule[]): S {
  return schema.meta({ [rulesKey]: [...rulesOf(schema), ...rules] });
}

/** Rules of the schema itself, or of the one that a default or an optional wraps. */
function rulesOf(schema: z.ZodType): readonly Rule[] {
  const own = schema.meta()?.[rulesKey];
  if (Array.isArray(own)) return own;
  const inner = 'innerType' in schema.def ? schema.def.innerType : undefined;
  return inner instanceof z.ZodType ? rulesOf(inner) : [];
}

/** The value may not change once it is set. */
export function immutable(message: string): Rule {
  return { rule: 'self == oldSelf', message };
}

/** Of these optional fields exactly one is set. */
export function exactlyOneOf(...fields: readonly string[]): Rule {
  const set = fields.map((field) => `has(self.${escapedField(field)})`).join(', ');
  return { rule: `[${set}].exists_one(set, set)`, message: `set exactly one of ${fields.join(', ')}` };
}

/** Of these optional fields at least one is set. */
export function atLeastOneOf(...fields: readonly string[]): Rule {
  const set = fields.map((field) => `has(self.${escapedField(field)})`).join(' || ');
  return { rule: set, message: `set at least one of ${fields.join(', ')}` };
}

/** A list whose items are told apart by the field `key`: no two are equal, and updates pair them by it. */
export function listByKey<S extends z.ZodType>(list: S, key: string): S {
  return list.meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] });
}

/** A list without duplicates. */
export function distinctList<S extends z.ZodType>(list: S): S {
  return list.meta({ 'x-kubernetes-list-type': 'set' });
}

/**
 * An object that is always written as a whole. The API server then keeps one owner for it, not one for each field in
 * it: a third of a Run's bytes and of what a write costs.
 */
export function atomic<S extends z.ZodType>(object: S): S {
  return object.meta({ 'x-kubernetes-map-type': 'atomic' });
}

/** A map from text to `value` with at most `maxProperties` keys. */
export function boundedMap<V extends z.ZodType>(keyLength: number, value: V, maxProperties: number) {
  return z.record(z.string().max(keyLength), value).meta({ maxProperties });
}

/** CEL's own words, which a field name may not be without an escape. */
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** A field's name as CEL rules write it (Kubernetes' escape of CEL's reserved words and signs). */
export function escapedField(name: string): string {
  if (reserved.has(name)) return `__${name}__`;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}
