import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../operator/config.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { chart } from './helm.ts';

const text = (file: string) => readFileSync(join(chart, file), 'utf8');
const values: Values = parse(text('values.yaml'));
const schema: Schema = JSON.parse(text('values.schema.json'));

type Values = { readonly [name: string]: unknown };
type Schema = {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  readonly definitions?: Readonly<Record<string, Schema>>;
};

it('has the version of what it installs', () => {
  const { version } = packageFile;
  expect(parse(text('Chart.yaml'))).toMatchObject({ version, appVersion: version });
});

describe('the values', () => {
  it('are those that the schema knows', () => {
    // Of charts that depend on this one.
    const theirs = ['enabled', 'global'];
    expect([...namesIn('values'), ...theirs].sort()).toEqual(namesIn('schema').sort());
  });

  it('are each said in the line above what they are for', () => {
    const explained = explainedIn(text('values.yaml'));
    expect(namesIn('values').filter((name) => !explained.has(name))).toEqual([]);
  });

  it('are all that the templates use, and all are used', () => {
    const folder = join(chart, 'templates');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.(yaml|tpl|txt)$/.test(file),
    );
    const used = new Set(
      files.flatMap((file) =>
        [...text(join('templates', file)).matchAll(/\.Values\.([\w.]+)/g)].map(([, name = '']) => name),
      ),
    );
    const names = namesIn('values');
    const isPartOf = (name: string, whole: string) => name === whole || name.startsWith(`${whole}.`);
    expect([...used].filter((use) => !names.some((name) => isPartOf(name, use)))).toEqual([]);
    expect(names.filter((name) => ![...used].some((use) => isPartOf(name, use)))).toEqual([]);
  });
});

describe('the schema allows what the operator does:', () => {
  test.each(['qps', 'burst', 'concurrency', 'progressInterval'] as const)('%s', (name) => {
    const { minimum, exclusiveMinimum, maximum } = schema.properties?.[name] ?? {};
    const least = minimum ?? 0.001;
    expect(configured(name, least)).toBe(least);
    expect(configured(name, maximum)).toBe(maximum);
    expect(() => configured(name, exclusiveMinimum ?? least - 1)).toThrow(/at least|more than/);
    expect(() => configured(name, maximum! + 1)).toThrow('at most');
    expect(configured(name, undefined)).toBe(values[name]);
  });

  test('logLevel', () => {
    const levels = schema.properties?.logLevel?.enum ?? [];
    expect(levels.map((level) => configured('logLevel', level))).toEqual(levels);
    expect(() => configured('logLevel', 'trace')).toThrow(levels.slice(0, -1).join(', '));
    expect(configured('logLevel', undefined)).toBe(values.logLevel);
  });
});

/** What the operator makes of an option; of its absence, if there is no value. */
function configured(name: 'qps' | 'burst' | 'concurrency' | 'progressInterval' | 'logLevel', value: unknown) {
  const nowhere = { write: () => undefined };
  const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const args = value === undefined ? [] : [`${option}=${value}`];
  return readConfig(args, { env: {}, stdout: nowhere, stderr: nowhere })[name];
}

/**
 * Names of all values that hold no others, such as `image.tag`; what is empty until people fill it is one.
 *
 * @param keys of what: of the values, or of what the schema knows
 */
function namesIn(keys: 'values' | 'schema', part = schema, given = values, prefix = ''): string[] {
  return Object.keys((keys === 'values' ? given : part.properties) ?? {}).flatMap((name) => {
    const child = part.properties?.[name] ?? {};
    const { properties, ...rest } = child.$ref === undefined ? child : definition(child.$ref);
    const inner = given[name];
    return properties === undefined || typeof inner !== 'object' || inner === null || isEmpty(inner)
      ? [prefix + name]
      : namesIn(keys, { ...rest, properties }, { ...inner }, `${prefix}${name}.`);
  });
}

function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0;
}

function definition(reference: string): Schema {
  const found = schema.definitions?.[reference.replace('#/definitions/', '')];
  if (found === undefined) throw new Error(`${reference} is not defined`);
  return found;
}

/** Names with a comment above, such as `image.tag`. */
function explainedIn(yaml: string): ReadonlySet<string> {
  const explained = new Set<string>();
  const path: string[] = [];
  let above = '';
  for (const line of yaml.split('\n')) {
    const [, indent = '', name] = /^( *)(\w+):/.exec(line) ?? [];
    if (name !== undefined) {
      path.splice(indent.length / 2, path.length, name);
      if (above.startsWith(`${indent}#`)) explained.add(path.join('.'));
    }
    above = line;
  }
  return explained;
}
