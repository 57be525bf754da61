import { explanationMetrics } from '@destillml/core/metrics/explanations.ts';
import type { Metric } from '@destillml/core/metrics/metric.ts';
import { type ExplainedMaps, explainedNetworks } from '@destillml/core/results/explained.ts';
import type { Experiment, Run } from '../controllers/kinds.ts';
import { labelText, type Reading } from './exposition.ts';
import { trainedText } from './run-series.ts';

/** Maps of a network, and the labels that tell which ones they are. */
export type SeenMaps = { readonly maps: ExplainedMaps; readonly labels: string };

/**
 * What the last explanation of an Experiment says of the networks whose Runs are there.
 *
 * @param runs of the Experiment.
 * @param teacher name of the Run that trained the teacher, where that is of another Experiment.
 */
export function seenMaps(
  { metadata: { namespace, name: experiment } }: Experiment,
  runs: readonly Run[],
  teacher: string | undefined,
): readonly SeenMaps[] {
  const explained = explainedNetworks(runs);
  if (explained.length === 0) return [];
  const own = new Map(runs.map((run) => [run.metadata.name, run.spec.parameters]));
  return explained.flatMap((maps) => {
    const { run, map } = maps;
    const parameters = own.get(run) ?? (run === teacher ? othersTeacher : undefined);
    if (parameters === undefined) return [];
    const place = labelText({ namespace, experiment, run });
    return [{ maps, labels: `${place},${trainedText(parameters)},${labelText({ map })}` }];
  });
}

const othersTeacher = { stage: 'main', role: 'teacher' } as const;

export const explanationReadings: readonly Reading<SeenMaps>[] = [
  ofMaps(explanationMetrics.agreement, ({ agreement }) => agreement),
  ofMaps(explanationMetrics.topOverlap, ({ topOverlap }) => topOverlap),
  ofMaps(explanationMetrics.insertion, ({ insertion }) => insertion),
  ofMaps(explanationMetrics.deletion, ({ deletion }) => deletion),
];

function ofMaps(metric: Metric, read: (maps: ExplainedMaps) => number): Reading<SeenMaps> {
  return { metric, read: ({ maps, labels }) => [[labels, read(maps)]] };
}
