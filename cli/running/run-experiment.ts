import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { Run } from '@destillml/core/api/run.ts';
import { type Plan, plan } from '@destillml/core/plan/plan.ts';
import type { ExternalTeacher } from '@destillml/core/plan/teacher.ts';
import type { Memory } from '@destillml/core/plan/wanted.ts';
import type { RunPool } from './pool.ts';

export type ExperimentEnd = {
  readonly outcome: 'Complete' | 'Failed' | 'interrupted' | 'stuck';
  /** The Experiment with its last status. */
  readonly experiment: Experiment;
  /** Why. */
  readonly message: string;
};

/**
 * Carries out an Experiment: observe, plan, act, wait for something to happen, until nothing is left to do.
 *
 * @param onEnded called when Runs have ended, with the Experiment and its status.
 */
export async function runExperiment(
  initial: Experiment,
  teacher: ExternalTeacher | undefined,
  pool: RunPool,
  now: () => Date,
  onStatus: (experiment: Experiment) => void,
): Promise<ExperimentEnd> {
  let experiment = initial;
  const memory: Memory = {};
  for (;;) {
    let next: Plan;
    do {
      next = plan({ experiment, runs: pool.runs, ...(teacher ? { teacher } : {}), now: now() }, memory);
      if (!pool.isInterrupted) carryOut(next, pool);
    } while (pool.act());
    experiment = { ...experiment, status: next.status };
    onStatus(experiment);

    if (pool.isIdle) {
      const { phase } = next.status;
      if (phase === 'Complete' || phase === 'Failed') {
        return { outcome: phase, experiment, message: messageOf(experiment, phase) };
      }
      if (pool.isInterrupted) return { outcome: 'interrupted', experiment, message: '' };
      return { outcome: 'stuck', experiment, message: messageOf(experiment, 'Progressing') };
    }
    await pool.next();
  }
}

/** Writes what a plan asks for, in its order. Created Runs that may train at once are so already. */
function carryOut({ create, stop, pause, start, promote }: Plan, pool: RunPool): void {
  for (const run of create) pool.put(run);
  for (const { name, reason, message } of stop) change(pool, name, { stop: { reason, message } });
  for (const name of pause) change(pool, name, { suspend: true });
  for (const name of start) change(pool, name, { suspend: false });
  for (const { name, untilEpoch } of promote) change(pool, name, { untilEpoch });
}

function change(pool: RunPool, name: string, spec: Partial<Run['spec']>): void {
  const run = pool.runs.find(({ metadata }) => metadata.name === name);
  if (run === undefined) throw new RangeError(`the plan names the Run ${name}, which does not exist`);
  pool.put({ ...run, spec: { ...run.spec, ...spec } });
}

function messageOf({ status }: Experiment, type: string): string {
  return status?.conditions.find((condition) => condition.type === type)?.message ?? '';
}
