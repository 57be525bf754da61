import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { Run, RunParameters } from '@destillml/core/api/run.ts';
import { techniqueOf } from '@destillml/core/results/technique.ts';

/**
 * What people call a Run: `teacher`, `small/baseline`, `small/soft-targets`, `scarcity/resnet8/attention`; with the
 * seed at its end, as `small/baseline#2`, if there are several.
 */
export function labelOf(parameters: RunParameters, withSeed: boolean): string {
  const { stage, student, seed } = parameters;
  const parts = [
    ...(stage === 'main' ? [] : [stage]),
    ...(student === undefined ? [] : [student]),
    techniqueOf(parameters),
  ];
  return parts.join('/') + (withSeed ? `#${seed}` : '');
}

/** Names the Runs of an Experiment. */
export function labelsOf({ spec: { seeds } }: Experiment): (run: Run) => string {
  return ({ spec }) => labelOf(spec.parameters, seeds.length > 1);
}
