import type { Experiment, ExperimentSpec } from '../api/experiment.ts';
import type { Run } from '../api/run.ts';
import type { Sweep } from '../api/sweep.ts';
import { medianStops } from '../search/median.ts';
import type { Space } from '../search/space.ts';
import { type Algorithm, nextPromotion, type Study, suggest } from '../search/study.ts';
import { bestTrial, type Trial } from '../search/trial.ts';
import { studyNameOf, type Treatment } from './naming.ts';
import { isAtRung, isOpen, phaseOf } from './phases.ts';
import type { Stop } from './stop.ts';
import type { PlannedStudy, StudyState } from './study-state.ts';
import { spaceFor } from './swept.ts';
import { teacherTreatment, treatments } from './treatments.ts';
import { type TrialMemory, trialOf } from './trials.ts';

/** The studies of a sweep, in the order of the spec. */
function plannedStudies({ spec }: Pick<Experiment, 'spec'>): readonly PlannedStudy[] {
  const { sweep } = spec;
  if (sweep === undefined) return [];
  return searched(spec, sweep).flatMap((treatment) => {
    const space = spaceFor(sweep, treatment);
    return space.length === 0
      ? []
      : [{ treatment, maxRuns: sweep.maxRuns, study: studyOf(treatment, space, sweep, spec) }];
  });
}

/** What each study has come to, from its Runs and nothing else. */
export function studyStates(
  experiment: Experiment,
  runs: readonly Run[],
  memory: TrialMemory,
): readonly StudyState[] {
  const { sweep } = experiment.spec;
  if (sweep === undefined) return [];
  const byStudy = Map.groupBy(runs, (run) => run.spec.trial?.study);
  byStudy.delete(undefined);
  const hours =
    [...byStudy.values()].flat().reduce((sum, run) => sum + (run.status?.gpuSeconds ?? 0), 0) / 3600;
  const isSpent = sweep.maxGpuHours !== undefined && hours >= sweep.maxGpuHours;
  return plannedStudies(experiment).map((planned) => {
    const own = (byStudy.get(planned.study.name) ?? []).toSorted((a, b) => numberOf(a) - numberOf(b));
    const trials = own.map((run) => trialOf(run, memory));
    return { ...planned, runs: own, trials, ...outcome(planned.study, own, trials, sweep, isSpent) };
  });
}

/** Whether all that there is to search has been: what is found will not change unless the sweep does. */
export function isSettled({ state }: Pick<StudyState, 'state'>): boolean {
  return state === 'ended' || state === 'failed';
}

/**
 * The lowest number that no Run has; undefined once there are as many as there may be.
 *
 * @param trials by number: as long as there is no hole, the one at an index has the number above it.
 */
export function freeNumber(trials: readonly Trial[], maxRuns: number): number | undefined {
  let [low, high] = [0, trials.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (trials[middle]?.number === middle + 1) low = middle + 1;
    else high = middle;
  }
  return low < maxRuns ? low + 1 : undefined;
}

function numberOf(run: Run): number {
  return run.spec.trial?.number ?? 0;
}

type Outcome = Pick<StudyState, 'state' | 'over' | 'promotion' | 'best' | 'stops'>;

function outcome(
  study: Study,
  runs: readonly Run[],
  trials: readonly Trial[],
  sweep: Sweep,
  isSpent: boolean,
): Outcome {
  const found = bestTrial(trials);
  const bestRun = runs.find((run) => numberOf(run) === found?.number);
  const best = found && bestRun ? { run: bestRun, trial: found } : undefined;
  const running = runs.filter((_, index) => trials[index]?.state === 'running');
  const promotion = nextPromotion(study, trials);
  const isIdle = running.length === 0 && promotion === undefined;
  const over = whyOver(study, trials, sweep, { isSpent, isIdle, best: found });
  if (over === undefined) {
    return { state: 'open', over, promotion, best, stops: fallenBehind(sweep, runs, trials) };
  }

  const isFailed = over.reason === 'TooManyRunsFailed' || best === undefined;
  const kept = isFailed ? undefined : best?.run;
  const stops = running
    .filter((run) => run !== kept && isOpen(run))
    .map(({ metadata: { name } }) => ({ name, ...over }));
  const state = running.some((run) => run !== kept) ? 'closing' : isFailed ? 'failed' : 'ended';
  return { state, over, promotion: undefined, best, stops };
}

function whyOver(
  study: Study,
  trials: readonly Trial[],
  { objective, maxFailedRuns, maxRuns }: Sweep,
  seen: { readonly isSpent: boolean; readonly isIdle: boolean; readonly best: Trial | undefined },
): StudyState['over'] {
  const failed = trials.filter(({ state }) => state === 'failed').length;
  if (maxFailedRuns !== undefined && failed >= maxFailedRuns) {
    const message = `${failed} of its Runs failed, and spec.sweep.maxFailedRuns is ${maxFailedRuns}.`;
    return { reason: 'TooManyRunsFailed', message };
  }
  const { goal } = objective;
  const winner = seen.best;
  if (goal !== undefined && winner !== undefined && (winner.reports.at(-1)?.value ?? 0) >= goal) {
    return {
      reason: 'GoalReached',
      message: `Run ${winner.number} reached spec.sweep.objective.goal, ${goal}.`,
    };
  }
  if (seen.isSpent) {
    return { reason: 'GpuHoursSpent', message: 'The search has taken spec.sweep.maxGpuHours.' };
  }
  if (!seen.isIdle) return undefined;
  const number = freeNumber(trials, maxRuns);
  if (number === undefined) {
    return { reason: 'MaxRunsReached', message: `All of spec.sweep.maxRuns, ${maxRuns}, were tried.` };
  }
  if (suggest(study, trials, number) !== undefined) return undefined;
  return {
    reason: 'SpaceExhausted',
    message: `There are no more than ${trials.length} configurations to try.`,
  };
}

function fallenBehind(
  { earlyStopping }: Sweep,
  runs: readonly Run[],
  trials: readonly Trial[],
): readonly Stop[] {
  if (earlyStopping === undefined) return [];
  const behind = new Set(medianStops(earlyStopping.median, trials));
  return runs
    .filter((run) => behind.has(numberOf(run)) && isOpen(run) && !isAtRung(run) && phaseOf(run) === 'Running')
    .map(({ metadata: { name } }) => ({
      name,
      reason: 'BelowMedian',
      message:
        'Its best validation accuracy is below the median of the other Runs of its study at this epoch.',
    }));
}

function searched(spec: ExperimentSpec, sweep: Sweep): readonly Treatment[] {
  const students = treatments(spec, 'search', spec.distillation, {});
  switch (sweep.for) {
    case 'teacher':
      return [teacherTreatment(spec, 'search') ?? []].flat();
    case 'students':
      return students.filter(({ role }) => role === 'baseline');
    case 'distilled':
      return students.filter(({ role }) => role === 'distilled');
    case 'comparison':
      return students;
  }
}

function studyOf(
  treatment: Treatment,
  space: Space,
  { algorithm, seed, initial = [] }: Sweep,
  { training: { epochs } }: ExperimentSpec,
): Study {
  const names = new Set(space.map(({ name }) => name));
  return {
    name: studyNameOf(treatment),
    seed,
    space,
    epochs,
    // What does not touch it is left out.
    initial: initial.map((values) =>
      Object.fromEntries(
        Object.entries(values).flatMap(([path, value]) =>
          value !== undefined && names.has(path) ? [[path, value]] : [],
        ),
      ),
    ),
    algorithm: algorithmOf(algorithm),
  };
}

function algorithmOf({ grid, random, sobol, tpe, asha }: Sweep['algorithm']): Algorithm {
  if (asha !== undefined) return { asha };
  if (tpe !== undefined) return { tpe };
  if (sobol !== undefined) return { sobol };
  if (grid !== undefined) return { grid };
  return { random: random ?? {} };
}
