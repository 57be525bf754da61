import type { Experiment } from '../api/experiment.ts';
import type { Run } from '../api/run.ts';
import { firstUntil, nextPromotion, suggest } from '../search/study.ts';
import type { Trial } from '../search/trial.ts';
import { runManifest } from './manifest.ts';
import { trialNamer } from './naming.ts';
import { isAtRung } from './phases.ts';
import { freeNumber } from './studies.ts';
import type { StudyState } from './study-state.ts';
import { sweptValues, valuesText, withValues } from './swept.ts';
import type { TeacherParameters, TeacherState } from './teacher.ts';

/** A Run at its rung that is to be trained on. */
export type Promotion = { readonly name: string; readonly untilEpoch: number };

export type SearchPlan = {
  /** Runs to create, which train at once. */
  readonly create: readonly Run[];
  readonly promote: readonly Promotion[];
};

/**
 * What the studies do with `slots` free slots, one after the other: what was found is trained to its end; then the
 * study with the fewest Runs is next, so that all are of one size. A promotion goes before a new Run.
 *
 * Suggestions are a function of the spec and the Runs: nobody remembers anything.
 */
export function search(
  experiment: Experiment,
  studies: readonly StudyState[],
  teacher: { readonly state: TeacherState; readonly parameters: TeacherParameters },
  slots: number,
): SearchPlan {
  const create: Run[] = [];
  const promote: Promotion[] = studies.flatMap(finish).slice(0, Math.max(0, slots));
  const open = studies
    .filter(
      ({ state, treatment }) =>
        state === 'open' && (treatment.role !== 'distilled' || teacher.state.state === 'ready'),
    )
    .map((study) => ({ ...study, trials: [...study.trials] }));
  const seed = searchSeed(experiment, studies);

  while (create.length + promote.length < slots && open.length > 0) {
    const study = open.reduce((least, other) => (other.trials.length < least.trials.length ? other : least));
    const next = step(study);
    if (next === undefined) {
      open.splice(open.indexOf(study), 1);
    } else if (next.kind === 'promote') {
      promote.push({ name: next.run.metadata.name, untilEpoch: next.untilEpoch });
      replace(study.trials, { ...next.trial, state: 'running' });
      study.promotion = nextPromotion(study.study, study.trials);
    } else {
      create.push(newRun(experiment, study, next.trial, seed, teacher.parameters));
      study.trials.splice(next.trial.number - 1, 0, next.trial);
    }
  }
  return { create, promote };
}

/** The best of a study that has ended was perhaps never trained to its end. */
function finish({ state, best, study }: StudyState): readonly Promotion[] {
  if (state !== 'ended' || best === undefined || !isAtRung(best.run)) return [];
  return [{ name: best.run.metadata.name, untilEpoch: study.epochs }];
}

type Step =
  | { readonly kind: 'create'; readonly trial: Trial }
  | { readonly kind: 'promote'; readonly run: Run; readonly trial: Trial; readonly untilEpoch: number };

function step({ study, maxRuns, runs, trials, promotion }: StudyState): Step | undefined {
  const run = runs.find(({ spec }) => spec.trial?.number === promotion?.number);
  const promoted = trials.find(({ number }) => number === promotion?.number);
  if (promotion !== undefined && run !== undefined && promoted !== undefined) {
    return { kind: 'promote', run, trial: promoted, untilEpoch: promotion.untilEpoch };
  }
  const number = freeNumber(trials, maxRuns);
  const values = number === undefined ? undefined : suggest(study, trials, number);
  if (number === undefined || values === undefined) return undefined;
  return { kind: 'create', trial: { number, values, state: 'running', reports: [] } };
}

function replace(trials: Trial[], trial: Trial): void {
  trials[trials.findIndex(({ number }) => number === trial.number)] = trial;
}

function newRun(
  experiment: Experiment,
  { study, treatment }: StudyState,
  { number, values: drawn }: Trial,
  seed: number,
  teacher: TeacherParameters,
): Run {
  const values = sweptValues(drawn);
  const tried = withValues(treatment, values);
  const parameters = { ...tried, ...(treatment.role === 'distilled' ? teacher : {}), seed };
  const manifest = runManifest(experiment, { name: trialNamer(experiment, treatment)(number), parameters });
  const untilEpoch = firstUntil(study, number);
  return {
    ...manifest,
    metadata: {
      ...manifest.metadata,
      labels: { ...manifest.metadata.labels, 'destillml.io/study': study.name },
    },
    spec: {
      ...manifest.spec,
      suspend: false,
      trial: { study: study.name, number, values, summary: valuesText(values) },
      ...(untilEpoch < study.epochs ? { untilEpoch } : {}),
    },
  };
}

/** All Runs of a search have one seed: that of those that there are, should one be added before it. */
function searchSeed({ spec }: Experiment, studies: readonly StudyState[]): number {
  const [first] = studies.flatMap(({ runs }) => runs);
  return first?.spec.parameters.seed ?? spec.seeds[0] ?? 1;
}
