import { z } from 'zod';
import type { Experiment } from '../api/experiment.ts';
import { runPhases } from '../api/meta.ts';
import { type Run, runParameters, runResult } from '../api/run.ts';
import { timestamp } from '../plan/conditions.ts';
import { phaseOf } from '../plan/phases.ts';
import type { ExternalTeacher } from '../plan/teacher.ts';
import { explainedMaps, explainedNetworks } from './explained.ts';
import { summaryRow } from './row.ts';
import { summarise } from './summary.ts';
import { trial, trialsOf } from './trials.ts';

/** The content of `results.json`: the table, every Run behind it with all that led to its result, what a sweep tried. */
export const results = z.strictObject({
  kind: z.literal('Results'),
  experiment: z.string(),
  namespace: z.string().optional(),
  createdAt: z.string().describe('RFC 3339.'),
  versions: z.record(z.string(), z.string()).describe('Versions of DestillML and what it ran on.'),
  rows: z.array(summaryRow),
  runs: z.array(
    z.strictObject({
      name: z.string(),
      phase: z.enum(runPhases),
      reason: z.string().optional(),
      message: z.string().optional(),
      parameters: runParameters,
      result: runResult.optional(),
    }),
  ),
  trials: z
    .array(trial)
    .default([])
    .describe('The Runs of the sweep, study by study; empty where there is no spec.sweep.'),
  explanations: z
    .array(explainedMaps)
    .default([])
    .describe('What the networks look at, by network and method; empty where spec.explain did not ask.'),
});

export type Results = z.output<typeof results>;

/** All Runs are listed, also those that the Experiment no longer asks for and that therefore are in no row. */
export function resultsDocument(
  experiment: Experiment,
  runs: readonly Run[],
  versions: Readonly<Record<string, string>>,
  now: Date,
  teacher?: ExternalTeacher,
): Results {
  const { name, namespace } = experiment.metadata;
  return {
    kind: 'Results',
    experiment: name,
    ...(namespace === undefined ? {} : { namespace }),
    createdAt: timestamp(now),
    versions: { ...versions },
    rows: [...summarise(experiment, runs, teacher).rows],
    runs: runs.map(({ metadata, spec, ...run }) => ({
      name: metadata.name,
      phase: phaseOf({ metadata, spec, ...run }),
      ...(run.status?.reason === undefined ? {} : { reason: run.status.reason }),
      ...(run.status?.message === undefined ? {} : { message: run.status.message }),
      parameters: spec.parameters,
      ...(run.status?.result === undefined ? {} : { result: run.status.result }),
    })),
    trials: [...trialsOf(experiment, runs)],
    explanations: [...explainedNetworks(runs)],
  };
}
