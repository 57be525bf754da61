import type { Run } from '../api/run.ts';

/** Runs that are next to each other, and are looked at together. */
export type Block = readonly Run[];

/**
 * What was made of Runs that have not changed since, and of blocks of them: of ten thousand that a search has, a change
 * makes one block new. Nothing depends on it: what is remembered is a function of what it was made of, which is never
 * changed.
 */
export class RunsMemory {
  readonly #size: number;
  #blocks: readonly Block[] = [];
  readonly #made = new WeakMap<object, Map<string, unknown>>();

  /** @param size Runs of a block: so few that one is soon looked at again, and so many that there are few blocks */
  constructor(size = 256) {
    this.#size = size;
  }

  /** The same blocks as before, where they have the same Runs. */
  blocksOf(runs: readonly Run[]): readonly Block[] {
    const before = this.#blocks;
    const size = this.#size;
    this.#blocks = Array.from({ length: Math.ceil(runs.length / size) }, (_, index) => {
      const known = before[index];
      const begin = index * size;
      return known && isThere(known, runs, begin, size) ? known : runs.slice(begin, begin + size);
    });
    return this.#blocks;
  }

  /** @param kind what is made: the same function, with the same settings, for one of them */
  made<K extends object, T>(kind: string, of: K, make: (of: K) => T): T {
    const known = this.#made.get(of) ?? new Map<string, unknown>();
    if (!known.has(kind)) this.#made.set(of, known.set(kind, make(of)));
    return known.get(kind) as T;
  }
}

function isThere(block: Block, runs: readonly Run[], begin: number, size: number): boolean {
  if (block.length !== Math.min(size, runs.length - begin)) return false;
  for (let index = 0; index < block.length; index++) {
    if (block[index] !== runs[begin + index]) return false;
  }
  return true;
}
