import { isTaken } from './fresh.ts';
import { configurationAt, gridSize, placeOf, type Space, type Values } from './space.ts';

/**
 * The configuration at a place of the grid, from 0, without those that were given to be tried first; where another
 * trial has it, the next one that is free. Undefined behind the end, where all are taken, and of a space without end.
 */
export function gridValues(
  space: Space,
  initial: readonly Values[],
  taken: readonly Values[],
  place: number,
): Values | undefined {
  const size = gridSize(space);
  if (!Number.isFinite(size)) return undefined;
  const before = new Set(initial.map((values) => placeOf(space, values)).filter((known) => known >= 0));
  let start = place;
  for (const skipped of [...before].sort((a, b) => a - b)) if (skipped <= start) start++;
  if (start >= size) return undefined;
  for (let i = 0; i < size; i++) {
    const values = configurationAt(space, (start + i) % size);
    if (!isTaken(space, taken, values)) return values;
  }
  return undefined;
}
