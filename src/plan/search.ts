import type { Experiment } from '../api/experiment.ts';
import type { Run } from '../api/run.ts';
import { firstUntil, nextPromotion, suggest } from '../search/study.ts';
import type { Trial } from '../search/trial.ts';
import { runManifest } from './manifest.ts';
import { trialNamer } from './naming.ts';
import { isAtRung } from './phases.ts';
import { freeNumber, trialsOf } from './studies.ts';
import { byNumber } from './study-part.ts';
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
    .map((study) => new Searching(study));
  const seed = searchSeed(experiment, studies);

  while (create.length + promote.length < slots && open.length > 0) {
    const study = open.reduce((least, other) => (other.size < least.size ? other : least));
    const next = study.step();
    if (next === undefined) {
      open.splice(open.indexOf(study), 1);
    } else if (next.kind === 'promote') {
      promote.push({ name: next.run.metadata.name, untilEpoch: next.untilEpoch });
    } else {
      create.push(newRun(experiment, study.state, next.trial, seed, teacher.parameters));
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
  | { readonly kind: 'promote'; readonly run: Run; readonly untilEpoch: number };

/** A study and what the plan does with it, which is seen at once. */
class Searching {
  readonly state: StudyState;
  readonly #promoted = new Set<number>();
  /** Of all its Runs, those that the plan creates among them; made when it is first needed. */
  #trials: Trial[] | undefined;
  #created = 0;

  constructor(state: StudyState) {
    this.state = state;
  }

  get size(): number {
    return this.state.parts.reduce((sum, { runs }) => sum + runs.length, this.#created);
  }

  step(): Step | undefined {
    const { study, standings, maxRuns } = this.state;
    const promotion = nextPromotion(study, standings, this.#promoted);
    const run = promotion && this.#runOf(promotion.number);
    if (promotion !== undefined && run !== undefined) {
      this.#promoted.add(promotion.number);
      this.#trials = undefined;
      return { kind: 'promote', run, untilEpoch: promotion.untilEpoch };
    }
    this.#trials ??= trialsOf(this.state.parts).map((trial) =>
      this.#promoted.has(trial.number) ? { ...trial, state: 'running' } : trial,
    );
    const number = freeNumber(this.#trials, maxRuns);
    const values = number === undefined ? undefined : suggest(study, this.#trials, number);
    if (number === undefined || values === undefined) return undefined;
    const trial: Trial = { number, values, state: 'running', reports: [] };
    this.#trials.splice(number - 1, 0, trial);
    this.#created++;
    return { kind: 'create', trial };
  }

  #runOf(number: number): Run | undefined {
    return this.state.parts.find(({ byNumber }) => byNumber.has(number))?.byNumber.get(number);
  }
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
  const [first] = studies.flatMap(({ parts }) => parts.flatMap((part) => part.first ?? []).sort(byNumber));
  return first?.spec.parameters.seed ?? spec.seeds[0] ?? 1;
}
