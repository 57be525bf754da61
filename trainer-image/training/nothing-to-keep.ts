import type { Artifacts } from './artifacts.ts';

/** Files are where they are kept already, or are only read. */
export const nothingToKeep: Pick<Artifacts, 'saved' | 'lost' | 'finish'> = {
  saved: () => undefined,
  lost: new AbortController().signal,
  finish: async () => undefined,
};
