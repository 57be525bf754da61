import type { Structural } from './schema.ts';

/** What a field may hold, in words: the range, the choices, the length. */
export function allowedText(schema: Structural): string {
  if (schema['x-kubernetes-int-or-string']) return 'a whole number or a quantity such as 500m or 4Gi';
  switch (schema.type) {
    case 'string':
      return textAllowed(schema);
    case 'integer':
    case 'number':
      return rangeText({ ...schema, integer: schema.type === 'integer' });
    case 'boolean':
      return 'true or false';
    case 'array':
      return listAllowed(schema);
    case 'object':
      return objectAllowed(schema);
    default:
      return 'any value';
  }
}

type Range = Pick<Structural, 'minimum' | 'maximum' | 'exclusiveMinimum' | 'exclusiveMaximum'> & {
  readonly integer: boolean;
};

/** A range of numbers in words, such as `a number above 0, at most 1`. */
export function rangeText(range: Range): string {
  const { minimum, maximum } = range;
  const kind = range.integer ? 'a whole number' : 'a number';
  if (minimum === undefined && maximum === undefined) return kind;
  if (minimum !== undefined && maximum !== undefined && !range.exclusiveMinimum && !range.exclusiveMaximum) {
    return `${kind} from ${minimum} to ${maximum}`;
  }
  const ends = [];
  if (minimum !== undefined) ends.push(`${range.exclusiveMinimum ? 'above' : 'at least'} ${minimum}`);
  if (maximum !== undefined) ends.push(`${range.exclusiveMaximum ? 'below' : 'at most'} ${maximum}`);
  return `${kind} ${ends.join(', ')}`;
}

function textAllowed(schema: Structural): string {
  if (schema.enum !== undefined) {
    return schema.enum.length === 1 ? String(schema.enum[0]) : `one of ${schema.enum.join(', ')}`;
  }
  const { minLength = 0, maxLength } = schema;
  if (minLength === maxLength) return `text of ${maxLength} characters`;
  return minLength === 0
    ? `text of at most ${maxLength} characters`
    : `text of ${minLength} to ${maxLength} characters`;
}

function listAllowed(schema: Structural): string {
  const { minItems = 0, maxItems } = schema;
  const distinct = schema['x-kubernetes-list-type'] === 'set' ? ' distinct' : '';
  if (minItems === maxItems) return `a list of ${maxItems}${distinct} items`;
  return minItems === 0
    ? `a list of at most ${maxItems}${distinct} items`
    : `a list of ${minItems} to ${maxItems}${distinct} items`;
}

function objectAllowed(schema: Structural): string {
  if (schema.additionalProperties !== undefined) return `a map of at most ${schema.maxProperties} keys`;
  const fields = Object.keys(schema.properties ?? {});
  return fields.length === 0 ? 'an empty object, {}' : `an object with fields ${fields.join(', ')}`;
}
