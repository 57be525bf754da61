import { join, resolve } from 'node:path';
import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { Run } from '@destillml/core/api/run.ts';
import { hasEnded } from '@destillml/core/plan/phases.ts';
import { resultsDocument } from '@destillml/core/results/document.ts';
import { environmentOf } from '@destillml/trainer/report/environment.ts';
import { dataFolder } from '../options.ts';
import type { Display } from '../progress/display.ts';
import { displayFor } from '../progress/display-for.ts';
import { labelsOf } from '../progress/label.ts';
import { readRuns, runFolder, writeResults } from '../store/experiment-folder.ts';
import type { FoundTeacher } from '../store/external-teacher.ts';
import type { Surroundings } from '../surroundings.ts';
import { endOrphans, foldersIn, pollWith } from './orphans.ts';
import { RunPool } from './pool.ts';
import { withoutFailures } from './retry-failed.ts';
import { type ExperimentEnd, runExperiment } from './run-experiment.ts';

export type ExperimentOptions = {
  readonly data?: string;
  readonly retryFailed?: true;
  readonly plain?: true;
  readonly eager?: true;
};

export type TrainedExperiment = ExperimentEnd & { readonly runs: readonly Run[] };

/** Trains what an Experiment still needs, in its folder, which this process has locked. */
export async function trainExperiment(
  experiment: Experiment,
  folder: string,
  found: FoundTeacher | undefined,
  options: ExperimentOptions,
  surroundings: Surroundings,
): Promise<TrainedExperiment> {
  const display = displayFor(surroundings, options.plain ?? false, labelsOf(experiment));
  announce(experiment, folder, display);
  await endOrphans(foldersIn(join(folder, 'runs')), (text) => display.say(text), pollWith(surroundings));

  const pool = new RunPool({
    surroundings,
    display,
    folderOf: ({ metadata }) => runFolder(folder, metadata.name),
    assignmentOf: ({ metadata, spec }) => ({
      name: metadata.name,
      namespace: metadata.namespace ?? 'default',
      experiment: experiment.metadata.name,
      parameters: spec.parameters,
      ...(spec.untilEpoch === undefined ? {} : { untilEpoch: spec.untilEpoch }),
      ...(spec.trial === undefined ? {} : { trial: spec.trial }),
      artifacts: resolve(runFolder(folder, metadata.name)),
      ...teacherArtifacts(folder, spec.parameters.teacherRun, found),
      ...(spec.parameters.role === 'explanation' ? { spec: experiment.spec } : {}),
      data: dataFolder(options.data),
      capture: !options.eager,
    }),
    parallelism: experiment.spec.parallelism,
    retries: experiment.spec.retries,
    deadlineSeconds: experiment.spec.activeDeadlineSeconds,
  });
  try {
    const runs = readRuns(folder);
    display.earlier(runs);
    pool.load(options.retryFailed ? withoutFailures(runs) : runs);
    const record = recorder(folder, pool, found, surroundings);
    const end = await runExperiment(experiment, found?.teacher, pool, surroundings.now, record);
    return { ...end, runs: pool.runs };
  } finally {
    await pool.close();
    display.close();
  }
}

/** Writes `results.json` whenever Runs have been added, have ended or have come to a rung. */
function recorder(folder: string, pool: RunPool, found: FoundTeacher | undefined, { now }: Surroundings) {
  let written = '';
  return (experiment: Experiment) => {
    const rungs = pool.runs.reduce((sum, { status }) => sum + (status?.rungs?.length ?? 0), 0);
    const state = `${pool.runs.filter(hasEnded).length} of ${pool.runs.length}, ${rungs}`;
    if (state === written) return;
    written = state;
    const folders = pool.runs.map(({ metadata }) => runFolder(folder, metadata.name));
    const document = resultsDocument(experiment, pool.runs, environmentOf(folders), now(), found?.teacher);
    writeResults(folder, document);
  };
}

function announce({ metadata, spec }: Experiment, folder: string, display: Display): void {
  display.say(`Experiment ${metadata.name} in ${folder}`);
  const unused = (['queue', 'storage', 'ttlSecondsAfterFinished'] as const).filter(
    (field) => spec[field] !== undefined,
  );
  if (unused.length > 0)
    display.say(`not used on this machine: ${unused.map((name) => `spec.${name}`).join(', ')}`);
}

function teacherArtifacts(folder: string, teacherRun: string | undefined, found: FoundTeacher | undefined) {
  if (teacherRun === undefined) return {};
  return { teacherArtifacts: resolve(found?.folder ?? runFolder(folder, teacherRun)) };
}
