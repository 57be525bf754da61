import { z } from 'zod';
import type { Experiment } from '../api/experiment.ts';
import { runPhases } from '../api/meta.ts';
import type { Run } from '../api/run.ts';
import { sweptValues } from '../api/sweepable.ts';
import { studyNameOf } from '../plan/naming.ts';
import { phaseOf } from '../plan/phases.ts';
import { reportsOf } from '../plan/trials.ts';

const share = z.number().min(0).max(1);

/** An epoch, and the best validation accuracy up to then. */
const bestAt = z.strictObject({ epoch: z.int().min(0), validationAccuracy: share });

/** A Run of a search: what it tried, how far it came and what came of it. */
export const trial = z.strictObject({
  study: z.string().describe('teacher, STUDENT.baseline or STUDENT.ARM.'),
  number: z.int().min(1).describe('In the study.'),
  run: z.string().describe('Name of its Run.'),
  phase: z.enum(runPhases),
  reason: z.string().optional(),
  message: z.string().optional(),
  values: sweptValues.describe('What it sets, by path in the spec.'),
  epochs: z.int().min(0).describe('Epochs trained so far.'),
  epochsInAll: z.int().min(1).describe('Epochs of a whole training.'),
  validationAccuracy: share.optional().describe('The best that was reported.'),
  rungs: z.array(bestAt).describe('Where it was paused, in order.'),
  history: z.array(bestAt).describe('Best validation accuracy so far, at the epochs where it rose.'),
  parameters: z.int().min(1).optional().describe('Trainable numbers of the network.'),
  trainingSeconds: z.number().min(0).optional().describe('Of one that was trained to its end.'),
});

export type Trial = z.output<typeof trial>;

/** One that reported an accuracy which counts. */
export type Known = Trial & { readonly validationAccuracy: number };

/** The Runs of the sweep's studies, study by study in the order of the spec, by number. */
export function trialsOf(experiment: Experiment, runs: readonly Run[]): readonly Trial[] {
  const studies = studyNames(experiment);
  const place = (name: string) => (studies.includes(name) ? studies.indexOf(name) : studies.length);
  const sizes = networkSizes(runs);
  return runs
    .flatMap((run) => trialOf(run, sizes) ?? [])
    .sort((a, b) => place(a.study) - place(b.study) || a.study.localeCompare(b.study) || a.number - b.number);
}

/** Whether what the trial reported can make it the best: one that failed is evidence of nothing. */
export function counts(trial: Trial): trial is Known {
  return trial.validationAccuracy !== undefined && trial.phase !== 'Failed' && trial.phase !== 'Skipped';
}

/** The highest validation accuracy first, of equal ones that of the lower number; then those that do not count. */
export function bestFirst(trials: readonly Trial[]): readonly Trial[] {
  const worth = (trial: Trial) => (counts(trial) ? trial.validationAccuracy : -1);
  return trials.toSorted((a, b) => worth(b) - worth(a) || a.number - b.number);
}

/** By study, in the order in which they come. */
export function byStudy(trials: readonly Trial[]): readonly (readonly [study: string, readonly Trial[]])[] {
  return [...Map.groupBy(trials, ({ study }) => study)];
}

/** How many are in each phase, such as `3 Running, 26 Paused, 9 Succeeded`. */
export function phasesText(trials: readonly Trial[]): string {
  const found = runPhases.map(
    (phase) => [trials.filter((trial) => trial.phase === phase).length, phase] as const,
  );
  return found.flatMap(([count, phase]) => (count > 0 ? `${count} ${phase}` : [])).join(', ');
}

/**
 * What a Run of a search tried; undefined for all others.
 *
 * @param sizes of the networks of which a Run has ended
 */
export function trialOf(run: Run, sizes: ReadonlyMap<string, number> = new Map()): Trial | undefined {
  const { trial, parameters } = run.spec;
  if (trial === undefined) return undefined;
  const { reason, message, rungs = [], progress, result } = run.status ?? {};
  const history = risesOf(run);
  const best = history.at(-1);
  const size = result?.parameters ?? sizes.get(networkOf(run));
  return {
    study: trial.study,
    number: trial.number,
    run: run.metadata.name,
    phase: phaseOf(run),
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    values: trial.values,
    epochs: Math.max(result?.epochs ?? 0, progress?.epoch ?? 0, rungs.at(-1)?.epoch ?? 0),
    epochsInAll: parameters.training.epochs,
    ...(best === undefined ? {} : { validationAccuracy: best.validationAccuracy }),
    rungs,
    history,
    ...(size === undefined ? {} : { parameters: size }),
    ...(result === undefined ? {} : { trainingSeconds: result.trainingSeconds }),
  };
}

/** What it has reported, at the epochs at which that rose. */
function risesOf(run: Run): Trial['history'] {
  const reports = reportsOf(run);
  return reports.flatMap(({ epoch, value }, index) =>
    index === 0 || value > (reports[index - 1]?.value ?? 0) ? [{ epoch, validationAccuracy: value }] : [],
  );
}

/** A network has as many parameters in every Run: what one that ended has counted holds for all. */
function networkSizes(runs: readonly Run[]): ReadonlyMap<string, number> {
  return new Map(
    runs.flatMap((run) => {
      const { result } = run.status ?? {};
      return result === undefined ? [] : [[networkOf(run), result.parameters] as const];
    }),
  );
}

function networkOf({ spec: { parameters } }: Run): string {
  return `${parameters.model} of ${parameters.dataset.name}`;
}

function studyNames({ spec }: Experiment): readonly string[] {
  const arms = [undefined, ...spec.distillation.map(({ name }) => name)];
  return [
    studyNameOf({}),
    ...spec.students.flatMap(({ name }) => arms.map((arm) => studyNameOf({ student: name, arm }))),
  ];
}
