import type { Run, RunStatus } from '../api/run.ts';

export type Rung = NonNullable<RunStatus['rungs']>[number];

/** As many as a status keeps. */
const remembered = 16;

/** The rungs known before, and those that trainers have come to since. One who says again what is known adds nothing. */
export function rungsOf({ status }: Run, said: readonly Rung[]): readonly Rung[] {
  const rungs = [...(status?.rungs ?? [])];
  for (const rung of said) if (rung.epoch > (rungs.at(-1)?.epoch ?? 0)) rungs.push(rung);
  return rungs.slice(-remembered);
}
