import { rangeText } from './allowed.ts';
import { escapedField, type Rule } from './rules.ts';
import { type SweepableNumber, sweepableNumbers } from './sweepable.ts';

/** How many values the parameter `p` of a grid has, as a double. */
const valueCount = [
  'has(p.discrete) ? double(size(p.discrete))',
  'has(p.double) ? (p.double.max - p.double.min) / p.double.step + 1.0',
  'has(p.integer) ? double(p.integer.max - p.integer.min) / (has(p.integer.step) ? double(p.integer.step) : 1.0) + 1.0',
  '2.0',
].join(' : ');

/** A parameter's values lie within the limits of the field it varies. */
export function valuesWithin(number: SweepableNumber): Rule {
  const lower = (value: string) =>
    `${value} ${number.exclusiveMinimum ? '>' : '>='} ${double(number.minimum)}`;
  const upper = (value: string) =>
    `${value} ${number.exclusiveMaximum ? '<' : '<='} ${double(number.maximum)}`;
  const whole = number.integer ? ' && v == double(int(v))' : '';
  return {
    rule: [
      `self.name != '${number.path}'`,
      '(!has(self.boolean)',
      `(!has(self.double) || ${number.integer ? 'false' : `${lower('self.double.min')} && ${upper('self.double.max')}`})`,
      `(!has(self.integer) || ${lower('double(self.integer.min)')} && ${upper('double(self.integer.max)')})`,
      `(!has(self.discrete) || self.discrete.all(v, ${lower('v')} && ${upper('v')}${whole})))`,
    ].reduce((left, right, index) => `${left} ${index === 1 ? '||' : '&&'} ${right}`),
    message: `for ${number.path} ${rangeText(number)}`,
  };
}

/** Something with settings of its own has no value between two: it is there or not. */
export function switchOnly(path: string): Rule {
  return {
    rule: `self.name != '${path}' || has(self.boolean)`,
    message: `for ${path} boolean: {}`,
  };
}

/** A step leads from the smallest value to the largest. */
export function divides(kind: 'double' | 'integer'): Rule {
  const rule =
    kind === 'integer'
      ? '(self.max - self.min) % self.step == 0'
      : isWhole('(self.max - self.min) / self.step');
  return {
    rule: `!has(self.step) || ${rule}`,
    message: 'a number that divides max - min',
    fieldPath: '.step',
  };
}

/** Katib's users find out after hours that a grid has more points than they allow; this one is counted before. */
export const gridAtMostMaxRuns: Rule = {
  rule: `!has(self.algorithm.grid) || self.parameters.exists(p, has(p.double) && !has(p.double.step)) || [self.parameters.map(p, ${valueCount})].all(n, ${productOf('n', 16)} * 0.999999 <= double(self.maxRuns))`,
  message: 'at least as many as the grid has combinations: raise it, or take values away',
  fieldPath: '.maxRuns',
};

/** What a configuration sets at `path` is a value that the parameter of this name can take. */
export function initialWithin(path: string): Rule {
  const number = sweepableNumbers.find((candidate) => candidate.path === path);
  const given = `i.${escapedField(path)}`;
  const value = number?.integer ? `double(${given})` : given;
  const stepped = (kind: 'double' | 'integer', min: string, step: string) =>
    `(!has(p.${kind}.step) || ${isWhole(`(${value} - ${min}) / ${step}`)})`;
  const kinds = [
    `has(p.double) && ${value} >= p.double.min && ${value} <= p.double.max && ${stepped('double', 'p.double.min', 'p.double.step')}`,
    `has(p.integer) && ${value} >= double(p.integer.min) && ${value} <= double(p.integer.max) && ${stepped('integer', 'double(p.integer.min)', 'double(p.integer.step)')}`,
    `has(p.discrete) && p.discrete.exists(d, d == ${value})`,
  ];
  const takes = number === undefined ? '' : ` && (${kinds.map((kind) => `(${kind})`).join(' || ')})`;
  return {
    rule: `!has(self.initial) || self.initial.all(i, !has(${given}) || self.parameters.exists(p, p.name == '${path}'${takes}))`,
    message: `for ${path} a value of the parameter of this name`,
    fieldPath: '.initial',
  };
}

/** Whether a quotient of two decimal numbers is whole, as far as doubles can tell. */
function isWhole(quotient: string): string {
  const off = `(${quotient}) - double(int((${quotient}) + 0.5))`;
  return `(${off} < 0.000001 && ${off} > -0.000001)`;
}

/** CEL has no product over a list: so many factors as it may have, 1 for those that it has not. */
function productOf(list: string, longest: number): string {
  const factor = (_: unknown, index: number) => `(size(${list}) > ${index} ? ${list}[${index}] : 1.0)`;
  return Array.from({ length: longest }, factor).join(' * ');
}

/** A number as a CEL literal of type double. */
function double(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
