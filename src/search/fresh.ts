import { type Dimension, indexOf, sizeOf, type Value, valueAt } from './dimension.ts';
import type { Random } from './random.ts';
import { childrenOf, countOf, rootsOf, type Space, type Values } from './space.ts';

/**
 * A configuration that no trial has: the value that is wanted of each dimension, and where all configurations with it
 * are taken, one of the others that have free ones, evenly. Undefined: every configuration is taken.
 *
 * The dimensions are gone through in order, and what is taken is counted below each choice: it needs no second try.
 * A configuration with a double that has no step is always free: such a space has no end.
 */
export function freshValues(
  space: Space,
  taken: readonly Values[],
  wanted: (dimension: Dimension) => Value,
  random: Random,
): Values | undefined {
  const chosen = follow(space, wanted);
  if (!isTaken(space, taken, chosen)) return chosen;
  let alike = distinct(space, taken);
  if (alike.length >= countOf(rootsOf(space), space)) return undefined;
  return follow(space, (dimension, open) => {
    const like = chosen[dimension.name] ?? wanted(dimension);
    if (isEndless(dimension)) {
      alike = [];
      return like;
    }
    const value = withRoom(space, dimension, like, alike, open, random);
    alike = alike.filter((other) => other[dimension.name] === value);
    return value;
  });
}

export function isTaken(space: Space, taken: readonly Values[], values: Values): boolean {
  const names = Object.keys(values);
  if (space.some((dimension) => dimension.name in values && isEndless(dimension))) return false;
  return taken.some(
    (other) =>
      names.every((name) => other[name] === values[name]) && Object.keys(other).length === names.length,
  );
}

/** Goes through the dimensions that exist, parents first; `open` are those that are still to be chosen after each. */
function follow(space: Space, choose: (dimension: Dimension, open: Space) => Value): Values {
  const values: Record<string, Value> = {};
  const open = [...rootsOf(space)];
  for (let dimension = open.shift(); dimension !== undefined; dimension = open.shift()) {
    const value = choose(dimension, open);
    values[dimension.name] = value;
    open.unshift(...childrenOf(space, dimension, value));
  }
  return values;
}

/** The value, or another one of the dimension if all configurations with it are among those that are alike so far. */
function withRoom(
  space: Space,
  dimension: Dimension,
  value: Value,
  alike: readonly Values[],
  open: Space,
  random: Random,
): Value {
  const counts = new Map<Value, number>();
  for (const other of alike) {
    const its = other[dimension.name];
    if (its !== undefined) counts.set(its, (counts.get(its) ?? 0) + 1);
  }
  const rest = countOf(open, space);
  const isFull = (one: Value) =>
    (counts.get(one) ?? 0) >= rest * countOf(childrenOf(space, dimension, one), space);
  if (!isFull(value)) return value;
  const full = [...counts.keys()]
    .filter(isFull)
    .map((one) => indexOf(dimension, one))
    .sort((a, b) => a - b);
  let index = Math.floor(random() * (sizeOf(dimension) - full.length));
  for (const skipped of full) if (skipped <= index) index++;
  return valueAt(dimension, index);
}

/** Each once, and only those that the space still has: its dimensions may have been edited. */
function distinct(space: Space, taken: readonly Values[]): readonly Values[] {
  const found = new Map<string, Values>();
  for (const values of taken) {
    let isOfSpace = true;
    const names: string[] = [];
    const open = [...rootsOf(space)];
    for (let dimension = open.shift(); dimension !== undefined && isOfSpace; dimension = open.shift()) {
      const value = values[dimension.name];
      names.push(dimension.name);
      if (value === undefined || indexOf(dimension, value) < 0) isOfSpace = false;
      else open.unshift(...childrenOf(space, dimension, value));
    }
    if (isOfSpace && names.length === Object.keys(values).length) {
      found.set(JSON.stringify(names.map((name) => values[name])), values);
    }
  }
  return [...found.values()];
}

function isEndless(dimension: Dimension): boolean {
  return sizeOf(dimension) === Number.POSITIVE_INFINITY;
}
