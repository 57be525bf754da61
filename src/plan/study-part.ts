import type { Run } from '../api/run.ts';
import { bestTrial, type Trial } from '../search/trial.ts';
import type { Block, RunsMemory } from './blocks.ts';
import { type Tally, tallyOf } from './tally.ts';
import { trialOf } from './trials.ts';

/** The Runs of a study that are in one block: what they come to, so that few are looked at one by one. */
export type StudyPart = {
  readonly runs: readonly Run[];
  /** Of each Run. */
  readonly trials: readonly Trial[];
  /** Those that have neither ended nor rest at a rung. */
  readonly running: readonly Run[];
  /** Of all others. */
  readonly resting: Tally;
  readonly failed: number;
  readonly gpuSeconds: number;
  readonly best: BestRun | undefined;
  readonly byNumber: ReadonlyMap<number, Run>;
  /** Of the lowest number. */
  readonly first: Run | undefined;
};

export type BestRun = { readonly run: Run; readonly trial: Trial };

export type BlockParts = {
  readonly others: readonly Run[];
  readonly byStudy: ReadonlyMap<string, StudyPart>;
};

/** Of the Runs of an Experiment in a block. */
export function partsOf(block: Block, experiment: string, memory: RunsMemory): BlockParts {
  return memory.made(`parts of ${experiment}`, block, () => {
    const byStudy = Map.groupBy(
      block.filter(({ spec }) => spec.experiment === experiment),
      ({ spec }) => spec.trial?.study,
    );
    const others = byStudy.get(undefined) ?? [];
    const parts = [...byStudy].flatMap(([study, runs]) =>
      study === undefined ? [] : [[study, partOf(runs, memory)] as const],
    );
    return { others, byStudy: new Map(parts) };
  });
}

export function byNumber(a: Run, b: Run): number {
  return numberOf(a) - numberOf(b);
}

export function numberOf(run: Run): number {
  return run.spec.trial?.number ?? 0;
}

function partOf(runs: readonly Run[], memory: RunsMemory): StudyPart {
  const trials = runs.map((run) => memory.made('trial', run, trialOf));
  const isRunning = (_: Run, index: number) => trials[index]?.state === 'running';
  const best = bestTrial(trials);
  const bestRun = best && runs[trials.indexOf(best)];
  return {
    runs,
    trials,
    running: runs.filter(isRunning),
    resting: tallyOf(runs.filter((run, index) => !isRunning(run, index))),
    failed: trials.filter(({ state }) => state === 'failed').length,
    gpuSeconds: runs.reduce((sum, { status }) => sum + (status?.gpuSeconds ?? 0), 0),
    best: best && bestRun && { run: bestRun, trial: best },
    first: runs.toSorted(byNumber)[0],
    byNumber: new Map(runs.map((run) => [numberOf(run), run])),
  };
}
