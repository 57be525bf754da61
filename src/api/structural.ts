import { z } from 'zod';
import { withDefaults } from './defaults.ts';
import { rulesKey } from './rules.ts';
import type { Structural } from './schema.ts';

/**
 * The structural form of a zod schema, as it is before defaults are filled in.
 *
 * @throws Error naming the field if the schema has no structural form, or has a text, list or map without a bound.
 */
export function structural(schema: z.ZodType, field: string): Structural {
  return node(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }), field);
}

type Json = Readonly<Record<string, unknown>>;

/** Keywords that are the same in both; everything else is handled by name or refused. */
const kept = new Set([
  'type',
  'description',
  'default',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
  rulesKey,
  'x-kubernetes-map-type',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
]);

const types = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean']);

function node(json: Json, field: string): Structural {
  if (isIntOrString(json)) return intOrString(json, field);
  if (typeof json.type !== 'string' || !types.has(json.type)) {
    throw refused(field, `has no single type (${JSON.stringify(json.type)})`);
  }
  const out: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(json)) {
    if (keyword === 'properties') out.properties = properties(value as Json, field);
    else if (keyword === 'items') out.items = node(value as Json, `${field}[]`);
    else if (keyword === 'additionalProperties') Object.assign(out, values(json, value, field));
    else if (keyword === 'pattern') out.pattern = String(value).replaceAll('\\/', '/');
    else if (kept.has(keyword)) out[keyword] = value;
    else throw refused(field, `uses ${keyword}`);
  }
  if (json.type === 'integer') wholeNumber(out);
  const result = out as Structural;
  requireBounds(result, field);
  // The API server checks a default against the rules before it fills in the defaults inside of it.
  return result.default === undefined ? result : { ...result, default: withDefaults(result, result.default) };
}

function properties(json: Json, field: string): Record<string, Structural> {
  return Object.fromEntries(
    Object.entries(json).map(([name, child]) => [name, node(child as Json, `${field}.${name}`)]),
  );
}

/** A map. A strict object says `false` here, which a structural schema says by naming its properties. */
function values(json: Json, value: unknown, field: string): Partial<Structural> {
  if (value === false) return {};
  if (json.properties !== undefined) throw refused(field, 'has properties beside additionalProperties');
  return { additionalProperties: node(value as Json, `${field}[*]`) };
}

/** zod states the range of exact doubles for every integer; only narrower limits mean something. */
function wholeNumber(out: Record<string, unknown>): void {
  if (out.minimum === Number.MIN_SAFE_INTEGER) delete out.minimum;
  if (out.maximum === Number.MAX_SAFE_INTEGER) delete out.maximum;
  const fits = typeof out.maximum === 'number' && out.maximum < 2 ** 31 && typeof out.minimum === 'number';
  out.format = fits && Number(out.minimum) >= -(2 ** 31) ? 'int32' : 'int64';
}

function isIntOrString(json: Json): boolean {
  const members = json.anyOf as readonly Json[] | undefined;
  return members?.length === 2 && members[0]?.type === 'integer' && members[1]?.type === 'string';
}

function intOrString(json: Json, field: string): Structural {
  const text = (json.anyOf as readonly Json[])[1];
  if (typeof text?.pattern !== 'string') throw refused(field, 'is an int-or-string without a pattern');
  const description = typeof json.description === 'string' ? { description: json.description } : {};
  return { ...description, pattern: text.pattern, 'x-kubernetes-int-or-string': true };
}

/** The API server refuses CEL rules over data whose size it cannot bound. */
function requireBounds(schema: Structural, field: string): void {
  // It also cuts a minimum to a whole number where the value is one: 0 would pass a minimum of 0.01.
  if (schema.minimum !== undefined && !Number.isInteger(schema.minimum)) {
    throw refused(field, 'has a minimum that is not a whole number');
  }
  // And it takes a set of numbers for another if one of them is whole: its `==` mixes integers and doubles.
  if (schema['x-kubernetes-list-type'] === 'set' && schema.items?.type === 'number') {
    throw refused(field, 'is a set of numbers that may be broken');
  }
  if (schema.type === 'string' && schema.maxLength === undefined && schema.enum === undefined) {
    throw refused(field, 'is text without maxLength');
  }
  if (schema.type === 'array' && schema.maxItems === undefined) {
    throw refused(field, 'is a list without maxItems');
  }
  if (schema.additionalProperties !== undefined && schema.maxProperties === undefined) {
    throw refused(field, 'is a map without maxProperties');
  }
}

function refused(field: string, reason: string): Error {
  return new Error(`${field} ${reason}: a CustomResourceDefinition needs a structural, bounded schema`);
}
