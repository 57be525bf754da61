import { type Dimension, indexOf, sizeOf, type Value, valueAt } from './dimension.ts';

export type Space = readonly Dimension[];

/** A configuration: the values of the dimensions that exist in it (see `when`). */
export type Values = Readonly<Record<string, Value>>;

/** How many configurations there are: Infinity with a double that has no step. */
export function gridSize(space: Space): number {
  return countOf(rootsOf(space), space);
}

/** The dimensions that exist whatever the others are, in the order of the space. */
export function rootsOf(space: Space): Space {
  return space.filter((dimension) => dimension.when === undefined);
}

/** The dimensions that exist because this one has this value. */
export function childrenOf(space: Space, parent: Dimension, value: Value): Space {
  return space.filter(({ when }) => when?.name === parent.name && when.is === value);
}

/** How many ways there are to choose these dimensions and all that exists because of them. */
export function countOf(dimensions: Space, space: Space): number {
  return dimensions.reduce((product, dimension) => {
    const isParent = space.some(({ when }) => when?.name === dimension.name);
    if (!isParent || !('values' in dimension)) return product * sizeOf(dimension);
    const ways = dimension.values.map((value) => countOf(childrenOf(space, dimension, value), space));
    return product * ways.reduce((sum, count) => sum + count, 0);
  }, 1);
}

/**
 * A configuration of a space that has finitely many, by its place from 0. As in nested loops the last dimension
 * changes fastest; a conditional dimension stands right behind its parent.
 */
export function configurationAt(space: Space, place: number): Values {
  const values: Record<string, Value> = {};
  let left = place;
  const open = [...rootsOf(space)];
  for (let dimension = open.shift(); dimension !== undefined; dimension = open.shift()) {
    const rest = countOf(open, space);
    let index = 0;
    if (isPlain(space, dimension)) {
      index = Math.floor(left / rest);
      left -= index * rest;
    } else {
      for (;;) {
        const size = rest * waysOf(space, dimension, index);
        if (left < size) break;
        left -= size;
        index++;
      }
    }
    const value = valueAt(dimension, index);
    values[dimension.name] = value;
    open.unshift(...childrenOf(space, dimension, value));
  }
  return values;
}

/** The place of a configuration, as `configurationAt` counts; -1 where the space does not have it. */
export function placeOf(space: Space, values: Values): number {
  let place = 0;
  let known = 0;
  const open = [...rootsOf(space)];
  for (let dimension = open.shift(); dimension !== undefined; dimension = open.shift()) {
    const index = indexOf(dimension, values[dimension.name]);
    if (index < 0) return -1;
    known++;
    const rest = countOf(open, space);
    if (isPlain(space, dimension)) place += index * rest;
    else for (let i = 0; i < index; i++) place += rest * waysOf(space, dimension, i);
    open.unshift(...childrenOf(space, dimension, valueAt(dimension, index)));
  }
  return known === Object.keys(values).length ? place : -1;
}

function isPlain(space: Space, dimension: Dimension): boolean {
  return space.every(({ when }) => when?.name !== dimension.name);
}

function waysOf(space: Space, dimension: Dimension, index: number): number {
  return isPlain(space, dimension)
    ? 1
    : countOf(childrenOf(space, dimension, valueAt(dimension, index)), space);
}
