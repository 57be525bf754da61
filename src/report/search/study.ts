import type { EpochRecord } from '../../api/run.ts';
import type { Sweep } from '../../api/sweep.ts';
import { shortNames } from '../../plan/swept.ts';
import { counts, type Known, type Trial } from '../../results/trials.ts';
import { type AccuracyAxis, accuracyAxis } from './accuracy-axis.ts';
import { type Ranks, ranksOf } from './ranks.ts';

/** A study as its charts need it. */
export interface Study {
  readonly name: string;
  /** Of all studies in the document, this one. */
  readonly id: string;
  readonly trials: readonly Trial[];
  readonly known: readonly Known[];
  readonly ranks: Ranks;
  readonly accuracy: AccuracyAxis;
  /** What it varies, in the order of the spec, each with a short name. */
  readonly parameters: readonly { readonly parameter: Sweep['parameters'][number]; readonly name: string }[];
  readonly historyOf: (trial: Trial) => readonly EpochRecord[];
}

export function studyOf(
  name: string,
  id: string,
  trials: readonly Trial[],
  sweep: Sweep,
  historyOf: Study['historyOf'],
): Study {
  const known = trials.filter(counts);
  const varied = sweep.parameters.filter((parameter) =>
    trials.some(({ values }) => values[parameter.name] !== undefined),
  );
  const names = shortNames(varied.map((parameter) => parameter.name));
  return {
    name,
    id,
    trials,
    known,
    ranks: ranksOf(trials),
    accuracy: accuracyAxis(known),
    parameters: varied.map((parameter) => ({ parameter, name: names.get(parameter.name) ?? parameter.name })),
    historyOf,
  };
}
