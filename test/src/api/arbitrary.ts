import { experimentSchema } from '@destillml/core/api/crd.ts';
import { rulesKey } from '@destillml/core/api/rules.ts';
import type { Structural } from '@destillml/core/api/schema.ts';
import fc from 'fast-check';

const spec = experimentSchema.properties?.spec ?? {};
const { sweep: _, ...withoutSweep } = spec.properties ?? {};

/** Experiments of the right types; most of them without a sweep, whose rules few keep by chance. */
export const experiments = fc
  .oneof(valuesOf({ ...spec, properties: withoutSweep }), { arbitrary: valuesOf(spec), weight: 1 })
  .map((value) => ({
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Experiment',
    metadata: { name: 'study' },
    spec: value,
  }));

/** Values of the right types and within the limits of the schema; the rules between fields may still refuse them. */
function valuesOf(schema: Structural): fc.Arbitrary<unknown> {
  if (schema['x-kubernetes-int-or-string'])
    return fc.oneof(fc.nat(64), fc.constantFrom('500m', '4Gi', '1.5'));
  switch (schema.type) {
    case 'string':
      return textOf(schema);
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -1000, max: Math.min(schema.maximum ?? 1000, 10_000) });
    case 'number':
      return numberOf(schema);
    case 'boolean':
      return fc.boolean();
    case 'array':
      return listOf(schema);
    default:
      return objectOf(schema);
  }
}

function textOf(schema: Structural): fc.Arbitrary<string> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.maxLength === 64) return fc.constant('a'.repeat(64));
  if (schema.pattern?.startsWith('^https'))
    return fc.constantFrom('https://example.org/a', 'http://localhost:9000');
  return fc.constantFrom('abc', 'small', 'x-1-y').filter((text) => text.length >= (schema.minLength ?? 0));
}

function numberOf(schema: Structural): fc.Arbitrary<number> {
  const { minimum: min = -100, maximum: max = 100 } = schema;
  const inside = fc.integer({ min: 1, max: 99 }).map((percent) => min + ((max - min) * percent) / 100);
  const ends = [...(schema.exclusiveMinimum ? [] : [min]), ...(schema.exclusiveMaximum ? [] : [max])];
  return ends.length === 0 ? inside : fc.oneof(inside, fc.constantFrom(...ends));
}

function listOf(schema: Structural): fc.Arbitrary<unknown[]> {
  const item = valuesOf(schema.items ?? {});
  const length = { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems ?? 3, 3) };
  const keys = schema['x-kubernetes-list-map-keys'];
  if (keys === undefined && schema['x-kubernetes-list-type'] === undefined) return fc.array(item, length);
  const identity = (value: unknown): unknown =>
    keys === undefined ? value : (value as Record<string, unknown>)[keys[0]!];
  return fc.uniqueArray(item, { ...length, selector: identity });
}

function objectOf(schema: Structural): fc.Arbitrary<unknown> {
  if (schema.additionalProperties !== undefined) {
    return fc.dictionary(fc.constantFrom('cpu', 'memory', 'x/y'), valuesOf(schema.additionalProperties));
  }
  const fields = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, child]) => [name, valuesOf(child)]),
  );
  const oneOf = schema[rulesKey]?.some(({ message }) => message.startsWith('set exactly one of'));
  const required = [...(schema.required ?? [])];
  const whole = fc.record(fields, { requiredKeys: required });
  if (!oneOf) return whole;
  const choices = Object.keys(fields).filter((name) => !required.includes(name));
  return fc.constantFrom(...choices).chain((chosen) => {
    const names = [...required, chosen];
    return fc.record(Object.fromEntries(names.map((name) => [name, fields[name]!])));
  });
}
