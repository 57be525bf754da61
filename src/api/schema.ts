import type { Rule, rulesKey } from './rules.ts';

/**
 * A structural OpenAPI v3 schema: what a CustomResourceDefinition may hold.
 *
 * Every node has one type (or is an int-or-string); an object has properties or values of one kind, never both.
 */
export type Structural = {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly format?: 'int32' | 'int64';
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  /** As in OpenAPI 3.0: true takes the minimum itself out of the range. */
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly items?: Structural;
  readonly properties?: Readonly<Record<string, Structural>>;
  readonly additionalProperties?: Structural;
  readonly required?: readonly string[];
  readonly [rulesKey]?: readonly Rule[];
  readonly 'x-kubernetes-map-type'?: 'atomic';
  readonly 'x-kubernetes-list-type'?: 'map' | 'set';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-int-or-string'?: true;
};
