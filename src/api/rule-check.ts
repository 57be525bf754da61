import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import { celValue } from './cel-value.ts';
import { collectionProblems } from './collections.ts';
import { isObject } from './defaults.ts';
import { differenceText } from './difference.ts';
import { fieldText, notAllowed, type Path, type Problem, valueAt } from './problem.ts';
import { type Rule, rulesKey } from './rules.ts';
import type { Structural } from './schema.ts';

/** What there was before an update; absent when an object is made or a value has no forerunner. */
type Old = { readonly value: unknown };

type Checked = {
  /** The object with defaults filled in. */
  readonly value: unknown;
  /** The object as it was written, for messages. */
  readonly given: unknown;
  /** The object before an update: rules that name `oldSelf` are checked only then. */
  readonly old: Old | undefined;
  /** Fields that have the wrong type or value already: rules that would read them are left out. */
  readonly broken: readonly Path[];
};

/** Checks what a schema says beyond types and ranges: its CEL rules, duplicates in lists, sizes of maps. */
export class RuleChecker {
  readonly #schema: Structural;
  readonly #environment = new Environment()
    .registerVariable('self', 'dyn')
    .registerVariable('oldSelf', 'dyn');
  readonly #programs = new Map<string, ParseResult>();

  constructor(schema: Structural) {
    this.#schema = schema;
  }

  /** Everything that is wrong, in the order in which the API server walks the object. */
  check(checked: Checked): Problem[] {
    return this.#walk(this.#schema, checked.value, checked.old, [], checked);
  }

  #walk(schema: Structural, value: unknown, old: Old | undefined, path: Path, checked: Checked): Problem[] {
    if (value === undefined || checked.broken.some((field) => begins(path, field))) return [];
    const isSound = !checked.broken.some((field) => begins(field, path));
    const here = collectionProblems(schema, value, path).concat(
      isSound ? this.#rules(schema, value, old, path, checked) : [],
    );
    const below = children(schema, value, old).flatMap((child) =>
      this.#walk(child.schema, child.value, child.old, [...path, child.key], checked),
    );
    return here.concat(below);
  }

  #rules(schema: Structural, value: unknown, old: Old | undefined, path: Path, checked: Checked): Problem[] {
    return (schema[rulesKey] ?? [])
      .filter((rule) => !isTransition(rule) || old !== undefined)
      .filter((rule) => !this.#holds(rule, schema, value, old))
      .map((rule) => {
        const within = (rule.fieldPath ?? '').split('.').filter((name) => name !== '');
        const field = [...path, ...within];
        const now = valueAt(value, within);
        const change = isTransition(rule) ? differenceText(valueAt(old?.value, within), now) : '';
        return {
          field: fieldText(field),
          message: notAllowed(valueAt(checked.given, field) ?? now, rule.message) + change,
        };
      });
  }

  #holds(rule: Rule, schema: Structural, value: unknown, old: Old | undefined): boolean {
    const program = this.#programs.get(rule.rule) ?? this.#environment.parse(rule.rule);
    this.#programs.set(rule.rule, program);
    const oldSelf = old === undefined ? null : celValue(schema, old.value);
    return program({ self: celValue(schema, value), oldSelf }) === true;
  }
}

function isTransition(rule: Rule): boolean {
  return /\boldSelf\b/.test(rule.rule);
}

type Child = {
  readonly key: string | number;
  readonly schema: Structural;
  readonly value: unknown;
  readonly old?: Old;
};

/** Fields, map values and list items, each with its forerunner where Kubernetes can tell which that was. */
function children(schema: Structural, value: unknown, old: Old | undefined): Child[] {
  const { items, properties, additionalProperties } = schema;
  if (Array.isArray(value) && items !== undefined) {
    const forerunner = itemForerunner(schema, old);
    return value.map((item, key) => ({ key, schema: items, value: item, ...forerunner(item) }));
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const childSchema = properties?.[key] ?? additionalProperties;
    if (childSchema === undefined) return [];
    const before = isObject(old?.value) ? old.value[key] : undefined;
    return [
      { key, schema: childSchema, value: child, ...(before === undefined ? {} : { old: { value: before } }) },
    ];
  });
}

/** Only items of lists by key have a forerunner: the one with the same key. */
function itemForerunner(schema: Structural, old: Old | undefined): (item: unknown) => { old?: Old } {
  const keys = schema['x-kubernetes-list-map-keys'];
  const before = old?.value;
  if (keys === undefined || !Array.isArray(before)) return () => ({});
  return (item) => {
    const found = before.find((candidate) =>
      keys.every((key) => valueAt(candidate, [key]) === valueAt(item, [key])),
    );
    return found === undefined ? {} : { old: { value: found } };
  };
}

function begins(path: Path, prefix: Path): boolean {
  return prefix.length <= path.length && prefix.every((key, index) => path[index] === key);
}
