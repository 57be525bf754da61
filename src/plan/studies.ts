import type { Experiment, ExperimentSpec } from '../api/experiment.ts';
import type { Sweep } from '../api/sweep.ts';
import { medianStops } from '../search/median.ts';
import type { Space } from '../search/space.ts';
import { type Algorithm, nextPromotion, type Study, standingsOf, suggest } from '../search/study.ts';
import { bestTrial, type Trial } from '../search/trial.ts';
import type { RunsMemory } from './blocks.ts';
import { studyNameOf, type Treatment } from './naming.ts';
import { isAtRung, isOpen, phaseOf } from './phases.ts';
import type { Stop } from './stop.ts';
import { type BestRun, type BlockParts, byNumber, numberOf, type StudyPart } from './study-part.ts';
import type { PlannedStudy, StudyState } from './study-state.ts';
import { spaceFor } from './swept.ts';
import { teacherTreatment, treatments } from './treatments.ts';

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
  blocks: readonly BlockParts[],
  memory: RunsMemory,
): readonly StudyState[] {
  const { sweep } = experiment.spec;
  if (sweep === undefined) return [];
  const all = blocks.flatMap(({ byStudy }) => [...byStudy.values()]);
  const hours = all.reduce((sum, { gpuSeconds }) => sum + gpuSeconds, 0) / 3600;
  const isSpent = sweep.maxGpuHours !== undefined && hours >= sweep.maxGpuHours;
  return plannedStudies(experiment).map((planned) => {
    const { study } = planned;
    const parts = blocks.flatMap(({ byStudy }) => byStudy.get(study.name) ?? []);
    const kind = `standings ${JSON.stringify([study.algorithm, study.epochs])}`;
    const standings = parts.map((part) =>
      memory.made(kind, part, ({ trials }) => standingsOf(study, trials)),
    );
    const running = parts.flatMap((part) => part.running).sort(byNumber);
    const seen = { ...planned, parts, standings, running };
    return { ...seen, ...outcome(seen, sweep, isSpent) };
  });
}

/** All trials of a study, by number. */
export function trialsOf(parts: readonly StudyPart[]): readonly Trial[] {
  return parts.flatMap(({ trials }) => trials).sort((a, b) => a.number - b.number);
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

type Seen = Omit<StudyState, keyof Outcome>;
type Outcome = Pick<StudyState, 'state' | 'over' | 'promotion' | 'best' | 'stops'>;

function outcome(seen: Seen, sweep: Sweep, isSpent: boolean): Outcome {
  const { study, parts, standings, running } = seen;
  const best = bestOf(parts);
  const promotion = nextPromotion(study, standings);
  const isIdle = running.length === 0 && promotion === undefined;
  const over = whyOver(seen, sweep, { isSpent, isIdle, best: best?.trial });
  if (over === undefined) {
    return { state: 'open', over, promotion, best, stops: fallenBehind(sweep, seen) };
  }

  const isFailed = over.reason === 'TooManyRunsFailed' || best === undefined;
  const kept = isFailed ? undefined : best?.run;
  const stops = running
    .filter((run) => run !== kept && isOpen(run))
    .map(({ metadata: { name } }) => ({ name, ...over }));
  const state = running.some((run) => run !== kept) ? 'closing' : isFailed ? 'failed' : 'ended';
  return { state, over, promotion: undefined, best, stops };
}

function bestOf(parts: readonly StudyPart[]): BestRun | undefined {
  const candidates = parts.flatMap(({ best }) => best ?? []);
  const found = bestTrial(candidates.map(({ trial }) => trial));
  return candidates.find(({ trial }) => trial === found);
}

function whyOver(
  { study, parts }: Seen,
  { objective, maxFailedRuns, maxRuns }: Sweep,
  seen: { readonly isSpent: boolean; readonly isIdle: boolean; readonly best: Trial | undefined },
): StudyState['over'] {
  const failed = parts.reduce((sum, part) => sum + part.failed, 0);
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
  const trials = trialsOf(parts);
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

function fallenBehind({ earlyStopping }: Sweep, { parts, running }: Seen): readonly Stop[] {
  if (earlyStopping === undefined) return [];
  const behind = new Set(medianStops(earlyStopping.median, trialsOf(parts)));
  return running
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
