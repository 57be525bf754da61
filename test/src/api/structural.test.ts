import { distinctList } from '@destillml/core/api/rules.ts';
import { structural } from '@destillml/core/api/structural.ts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const text = z.string().max(10);

describe('a structural schema', () => {
  it('states what a strict object states by additionalProperties through its properties', () => {
    expect(structural(z.strictObject({ a: text.optional(), b: z.boolean() }), 'spec')).toEqual({
      type: 'object',
      properties: { a: { type: 'string', maxLength: 10 }, b: { type: 'boolean' } },
      required: ['b'],
    });
  });

  it('gives integers a format and drops the limits of doubles', () => {
    expect(structural(z.int().min(0), 'n')).toEqual({ type: 'integer', format: 'int64', minimum: 0 });
    expect(structural(z.int().min(0).max(9), 'n')).toEqual({
      type: 'integer',
      format: 'int32',
      minimum: 0,
      maximum: 9,
    });
  });

  it('writes an open end as OpenAPI 3.0 does', () => {
    expect(structural(z.number().gt(0).lt(1), 'n')).toEqual({
      type: 'number',
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 1,
      exclusiveMaximum: true,
    });
  });

  it('fills the default of an object, against which the API server checks the rules', () => {
    const schema = z.strictObject({
      a: z.int().default(3),
      b: z.strictObject({ c: text.default('x') }).prefault({}),
    });
    expect(structural(schema.prefault({}), 'spec').default).toEqual({ a: 3, b: { c: 'x' } });
  });

  it.each([
    ['a union', z.union([text, z.boolean()]), 'spec has no single type (undefined)'],
    ['any value', z.any(), 'spec has no single type (undefined)'],
    ['null', z.strictObject({ a: z.null() }), 'spec.a uses nullable'],
    ['a value or null', z.strictObject({ a: text.nullable() }), 'spec.a uses nullable'],
    ['a tuple', z.tuple([text, z.boolean()]), 'spec[] has no single type (undefined)'],
    ['a set of broken numbers', distinctList(z.array(z.number()).max(3)), 'spec is a set of numbers'],
    ['a broken minimum', z.number().min(0.01), 'spec has a minimum that is not a whole number'],
    [
      'a map beside fields',
      z.object({ a: text }).catchall(text),
      'spec has properties beside additionalProperties',
    ],
    ['text without a bound', z.strictObject({ a: z.string() }), 'spec.a is text without maxLength'],
    ['a list without a bound', z.array(text), 'spec is a list without maxItems'],
    ['a map without a bound', z.record(text, text), 'spec is a map without maxProperties'],
    ['a format that JSON schema has and OpenAPI has not', z.email().max(10), 'spec uses format'],
  ])('is refused for %s', (_, schema, message) => {
    expect(() => structural(schema, 'spec')).toThrow(message);
  });

  it('is refused for recursion', () => {
    const tree = z.strictObject({
      get children() {
        return z.array(tree).max(2).optional();
      },
    });
    expect(() => structural(tree, 'spec')).toThrow('spec');
  });
});
