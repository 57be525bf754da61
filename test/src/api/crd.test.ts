import { experimentDefinition, experimentSchema, runDefinition, runSchema } from '@destillml/core/api/crd.ts';
import { escapedField, rulesKey } from '@destillml/core/api/rules.ts';
import type { Structural } from '@destillml/core/api/schema.ts';
import { Environment } from '@marcbachmann/cel-js';
import { describe, expect, it } from 'vitest';

type Place = { readonly path: string; readonly schema: Structural };

function places(schema: Structural, path: string): Place[] {
  return [
    { path, schema },
    ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) => places(child, `${path}.${name}`)),
    ...(schema.items === undefined ? [] : places(schema.items, `${path}[]`)),
    ...(schema.additionalProperties === undefined ? [] : places(schema.additionalProperties, `${path}[*]`)),
  ];
}

const kinds = [
  ['Experiment', experimentSchema, experimentDefinition],
  ['Run', runSchema, runDefinition],
] as const;

describe.each(kinds)('the definition of %s', (kind, schema, definition) => {
  const all = places(schema, kind);

  it('has one type, or int-or-string, at every place', () => {
    const untyped = all.filter(
      (place) => (place.schema.type === undefined) !== (place.schema['x-kubernetes-int-or-string'] === true),
    );
    expect(untyped).toEqual([]);
  });

  it('uses only keywords that a structural schema may have', () => {
    const allowed = new Set(
      'type description format default enum pattern minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum minItems maxItems maxProperties items properties additionalProperties required x-kubernetes-validations x-kubernetes-map-type x-kubernetes-list-type x-kubernetes-list-map-keys x-kubernetes-int-or-string'.split(
        ' ',
      ),
    );
    const others = all.flatMap(({ path, schema: at }) =>
      Object.keys(at)
        .filter((keyword) => !allowed.has(keyword))
        .map((keyword) => `${path}: ${keyword}`),
    );
    expect(others).toEqual([]);
  });

  it('never has properties beside additionalProperties', () => {
    const both = all.filter(
      ({ schema: at }) => at.properties !== undefined && at.additionalProperties !== undefined,
    );
    expect(both).toEqual([]);
  });

  it('states open ends of ranges as OpenAPI 3.0 does', () => {
    const open = all.filter(({ schema: at }) => at.exclusiveMinimum !== undefined);
    expect(open.every(({ schema: at }) => at.exclusiveMinimum === true && at.minimum !== undefined)).toBe(
      true,
    );
  });

  it('gives integers a format and bounds texts, lists and maps', () => {
    const loose = all.filter(
      ({ path, schema: at }) =>
        (at.type === 'integer' && at.format === undefined) ||
        (at.type === 'string' && at.maxLength === undefined && at.enum === undefined) ||
        (at.type === 'array' && at.maxItems === undefined) ||
        (at.additionalProperties !== undefined && at.maxProperties === undefined && path !== kind),
    );
    expect(loose.map(({ path }) => path)).toEqual([]);
  });

  it('requires the keys of lists by key', () => {
    const lists = all.filter(({ schema: at }) => at['x-kubernetes-list-type'] === 'map');
    const missing = lists.filter(
      ({ schema: at }) =>
        !at['x-kubernetes-list-map-keys']?.every((key) => at.items?.required?.includes(key)),
    );
    expect(missing).toEqual([]);
  });

  it('describes every field of spec and status', () => {
    const silent = all.filter(
      ({ path, schema: at }) =>
        /\.(spec|status)\./.test(path) && !/(\[\]|\[\*\])$/.test(path) && at.description === undefined,
    );
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('has only rules whose expression has the type bool over its fields, and whose path exists', () => {
    const wrong = all.flatMap(({ path, schema: at }) =>
      (at[rulesKey] ?? []).flatMap(({ rule, fieldPath }) => {
        const checked = typedEnvironment(at).check(rule);
        const names = (fieldPath ?? '').split('.').filter((name) => name !== '');
        const target = names.reduce<Structural | undefined>((node, name) => node?.properties?.[name], at);
        return checked.valid && checked.type === 'bool' && target !== undefined
          ? []
          : [`${path}: ${rule} ${fieldPath ?? ''} ${checked.error?.message ?? ''}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('has its status as a subresource, columns that exist, and names that kubectl knows', () => {
    const version = definition.spec.versions[0]!;
    expect(version.subresources).toEqual({ status: {} });
    expect(definition.spec.names.categories).toEqual(['destillml']);
    const columns = version.additionalPrinterColumns
      .filter(({ jsonPath }) => !jsonPath.startsWith('.metadata'))
      .map(({ jsonPath }) => `${kind}${jsonPath.replace('[-1:]', '[]')}`);
    expect(all.map(({ path }) => path)).toEqual(expect.arrayContaining(columns));
  });
});

it('short names are dexp and drun', () => {
  expect(experimentDefinition.spec.names.shortNames).toEqual(['dexp']);
  expect(runDefinition.spec.names.shortNames).toEqual(['drun']);
});

/** An environment in which `self` and `oldSelf` have exactly the schema's fields. */
function typedEnvironment(schema: Structural): Environment {
  const environment = new Environment();
  const types = new Map<string, string>();

  function typeOf(node: Structural): string {
    if (node.items !== undefined) return `list<${typeOf(node.items)}>`;
    if (node.additionalProperties !== undefined) return `map<string, ${typeOf(node.additionalProperties)}>`;
    if (node['x-kubernetes-int-or-string']) return 'dyn';
    if (node.type === 'object') return objectType(node);
    return { string: 'string', boolean: 'bool', integer: 'int', number: 'double' }[
      node.type as 'string' | 'boolean' | 'integer' | 'number'
    ];
  }

  function objectType(node: Structural): string {
    const fields = Object.fromEntries(
      Object.entries(node.properties ?? {}).map(([name, child]) => [escapedField(name), typeOf(child)]),
    );
    const key = JSON.stringify(fields);
    const known = types.get(key);
    if (known !== undefined) return known;
    const name = `Type${types.size}`;
    types.set(key, name);
    environment.registerType(name, { fields });
    environment.registerOperator(`${name} == ${name}`, Object.is);
    return name;
  }

  const type = typeOf(schema);
  return environment.registerVariable('self', type).registerVariable('oldSelf', type);
}
