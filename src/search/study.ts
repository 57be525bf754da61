import {
  type AshaSettings,
  firstRungOf,
  type Promotion,
  promotion,
  reportedRung,
  type Standings,
  standings,
} from './asha.ts';
import { valueFrom } from './dimension.ts';
import { evidenceOf } from './evidence.ts';
import { freshValues } from './fresh.ts';
import { gridValues } from './grid.ts';
import { randomOf } from './random.ts';
import { sobolValues } from './sobol.ts';
import type { Space, Values } from './space.ts';
import { tpeValues } from './tpe.ts';
import type { Trial } from './trial.ts';

/** A search for the best configuration. What it does is a function of this and of its trials. */
export type Study = {
  readonly name: string;
  readonly seed: number;
  readonly space: Space;
  /** Of a whole training. */
  readonly epochs: number;
  /** The configurations of the first trials. What they leave out is random. */
  readonly initial: readonly Values[];
  readonly algorithm: Algorithm;
};

export type Algorithm =
  | { readonly grid: object }
  | { readonly random: object }
  | { readonly sobol: object }
  | { readonly tpe: { readonly startup: number } }
  | { readonly asha: AshaSettings & { readonly sampler: Sampler } };

export type Sampler = 'grid' | 'random' | 'sobol' | 'tpe';

/** Trials that must have reported a rung before it is modelled. */
const startupOfRung = 10;

/**
 * The configuration of the trial of a number, from the other trials. Undefined: the space is exhausted. A number whose
 * trial was deleted can be asked for again.
 */
export function suggest(study: Study, trials: readonly Trial[], number: number): Values | undefined {
  const { space, initial, seed, name } = study;
  const others = trials.filter((trial) => trial.number !== number).sort((a, b) => a.number - b.number);
  const taken = others.map((trial) => trial.values);
  const random = randomOf(seed, name, number);
  const given = initial[number - 1];
  const place = number - 1 - initial.length;
  if (given !== undefined) {
    return freshValues(space, taken, (one) => given[one.name] ?? valueFrom(one, random()), random);
  }
  const { algorithm } = study;
  switch (samplerOf(algorithm)) {
    case 'grid':
      return gridValues(space, initial, taken, place);
    case 'random':
      return freshValues(space, taken, (dimension) => valueFrom(dimension, random()), random);
    case 'sobol':
      return sobolValues(space, taken, place, { seed, study: name }, random);
    case 'tpe': {
      if (!('asha' in algorithm)) {
        const startup = 'tpe' in algorithm ? algorithm.tpe.startup : startupOfRung;
        return tpeValues(space, evidenceOf(others), taken, startup, random);
      }
      const epoch = reportedRung(algorithm.asha, study.epochs, others, startupOfRung);
      const evidence = epoch === undefined ? [] : evidenceOf(others, epoch);
      return tpeValues(space, evidence, taken, startupOfRung, random);
    }
  }
}

/** The epochs that a trial trains before it is compared with others; all of them without ASHA. */
export function firstUntil({ algorithm, epochs }: Study, number: number): number {
  return 'asha' in algorithm ? firstRungOf(algorithm.asha, epochs, number) : epochs;
}

/** What the trials, or some of them, reported at rungs: what promotions are decided on. */
export function standingsOf({ algorithm, epochs }: Study, trials: readonly Trial[]): Standings {
  return 'asha' in algorithm ? standings(algorithm.asha, epochs, trials) : new Map();
}

/**
 * The paused trial that goes on next, and to which epoch. Undefined: none deserves it yet.
 *
 * @param promoted numbers of those that were promoted since
 */
export function nextPromotion(
  { algorithm, epochs }: Study,
  parts: readonly Standings[],
  promoted?: ReadonlySet<number>,
): Promotion | undefined {
  return 'asha' in algorithm ? promotion(algorithm.asha, epochs, parts, promoted) : undefined;
}

function samplerOf(algorithm: Algorithm): Sampler {
  if ('asha' in algorithm) return algorithm.asha.sampler;
  if ('tpe' in algorithm) return 'tpe';
  if ('sobol' in algorithm) return 'sobol';
  return 'random' in algorithm ? 'random' : 'grid';
}
