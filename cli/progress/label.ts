import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { Run, RunParameters } from '@destillml/core/api/run.ts';
import { titleOf } from '@destillml/core/results/technique.ts';

/** What people call a Run: its title, with the seed at its end, as `small/baseline#2`, if there are several. */
export function labelOf(parameters: RunParameters, withSeed: boolean): string {
  return titleOf(parameters) + (withSeed ? `#${parameters.seed}` : '');
}

/** Names the Runs of an Experiment; those of a search by their number, as `small/soft t17`. */
export function labelsOf({ spec: { seeds } }: Experiment): (run: Run) => string {
  return ({ spec: { parameters, trial } }) =>
    trial === undefined
      ? labelOf(parameters, seeds.length > 1 && parameters.role !== 'explanation')
      : `${labelOf(parameters, false)} t${trial.number}`;
}
