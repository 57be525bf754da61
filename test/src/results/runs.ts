import type { Experiment } from '../../../src/api/experiment.ts';
import type { Run, RunResult } from '../../../src/api/run.ts';
import { plan } from '../../../src/plan/plan.ts';
import { apply, now, resultOf, shortName, withStatus } from '../plan/world.ts';

/** The Runs of an Experiment, ended with these results by short name; `null` means Failed, absent not ended. */
export function runsWith(
  experiment: Experiment,
  results: Readonly<Record<string, Partial<RunResult> | null>>,
): readonly Run[] {
  const ended = (runs: readonly Run[]) =>
    runs.map((run) => {
      const result = results[shortName(run)];
      if (result === undefined) return run;
      return result === null
        ? withStatus(run, { phase: 'Failed', reason: 'TrainingDiverged', message: 'The loss became NaN.' })
        : withStatus(run, { phase: 'Succeeded', result: { ...resultOf(0.5), ...result } });
    });
  const main = ended(apply([], plan({ experiment, runs: [], now })));
  return ended(apply(main, plan({ experiment, runs: main, now })));
}

export function accuracy(testAccuracy: number, validationAccuracy = testAccuracy): Partial<RunResult> {
  return { testAccuracy, validationAccuracy };
}
