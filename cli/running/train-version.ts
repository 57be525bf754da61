import { resolve } from 'node:path';
import type { Run } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { outcomeOf, phaseOf } from '@destillml/core/plan/phases.ts';
import { ExitError, exitCodes } from '../exit.ts';
import { dataFolder } from '../options.ts';
import { displayFor } from '../progress/display-for.ts';
import { resultLines } from '../progress/result-lines.ts';
import { takeLock } from '../store/lock.ts';
import { findVersion, versionFolder } from '../store/versions.ts';
import type { Surroundings } from '../surroundings.ts';
import { endOrphans, pollWith } from './orphans.ts';
import { RunPool } from './pool.ts';

export type VersionOptions = {
  readonly runs: string;
  readonly data?: string;
  readonly plain?: true;
  readonly eager?: true;
};

/** Trains one network, from its beginning or its last checkpoint, to the end, and prints its metrics. */
export async function trainVersion(
  run: Run,
  options: VersionOptions,
  surroundings: Surroundings,
): Promise<void> {
  const { name } = run.metadata;
  const { teacherRun } = run.spec.parameters;
  const teacher = teacherRun === undefined ? undefined : findVersion(options.runs, teacherRun);
  const folder = versionFolder(options.runs, name);
  const giveBack = takeLock(folder);
  try {
    const ended = await trainIn(folder, run, teacher?.folder, options, surroundings);
    conclude(ended, folder, surroundings);
  } finally {
    giveBack();
  }
}

/** A Run to be trained as a version. */
export function versionRun(name: string, parameters: Run['spec']['parameters']): Run {
  return {
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Run',
    metadata: { name },
    spec: { experiment: 'versions', parameters, suspend: false },
  };
}

async function trainIn(
  folder: string,
  run: Run,
  teacherFolder: string | undefined,
  options: VersionOptions,
  surroundings: Surroundings,
): Promise<Run> {
  const { name } = run.metadata;
  const display = displayFor(surroundings, options.plain ?? false, () => name);
  display.say(`version ${name} in ${folder}`);
  await endOrphans([folder], (text) => display.say(text), pollWith(surroundings));
  const pool = new RunPool({
    surroundings,
    display,
    folderOf: () => folder,
    assignmentOf: ({ spec }) => ({
      name,
      namespace: 'default',
      experiment: spec.experiment,
      parameters: spec.parameters,
      artifacts: resolve(folder),
      ...(teacherFolder === undefined ? {} : { teacherArtifacts: resolve(teacherFolder) }),
      data: dataFolder(options.data),
      capture: !options.eager,
    }),
    parallelism: 1,
    retries: 0,
  });
  try {
    pool.put(run);
    pool.act();
    while (!pool.isIdle) {
      await pool.next();
      pool.act();
    }
  } finally {
    await pool.close();
    display.close();
  }
  return pool.runs[0] ?? run;
}

function conclude(run: Run, folder: string, { stdout, stderr }: Surroundings): void {
  const { name } = run.metadata;
  const result = run.status?.result;
  switch (phaseOf(run)) {
    case 'Succeeded':
      if (result) stdout.write(resultLines(result));
      stderr.write(`checkpoints: ${folder}\n`);
      return;
    case 'Failed':
      throw new DestillError('Environment', `version ${name}: ${outcomeOf(run)}\nlog: ${folder}/trainer.log`);
    default:
      stderr.write(`stopped; to go on: destill train --continue ${name}\n`);
      throw new ExitError(exitCodes.interrupted);
  }
}
