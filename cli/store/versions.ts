import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Run } from '@destillml/core/api/run.ts';
import { nearest } from '@destillml/core/api/suggest.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { labelOf } from '../progress/label.ts';
import { hasExperiment, readRuns, runFolder } from './experiment-folder.ts';
import { readRun } from './run-folder.ts';

/** Name of the folder, beside those of the Experiments, of networks trained one at a time. */
export const versionsName = 'versions';

/** A network that was, or is being, trained on this machine. */
export type Version = {
  /** How people call it: the name of a version; `experiment/label` for a Run of an Experiment. */
  readonly handle: string;
  /** Folder of the Experiment; undefined for versions. */
  readonly experiment: string | undefined;
  readonly folder: string;
  readonly run: Run;
};

export function versionFolder(root: string, name: string): string {
  return join(root, versionsName, name);
}

/** Everything trained under `root`: versions, then Experiments, in the order of their names. */
export function listVersions(root: string): Version[] {
  const versions = subfolders(join(root, versionsName)).flatMap((folder) => {
    const run = readRun(folder);
    return run === undefined ? [] : [{ handle: basename(folder), experiment: undefined, folder, run }];
  });
  const ofExperiments = subfolders(root)
    .filter((folder) => basename(folder) !== versionsName && hasExperiment(folder))
    .flatMap((folder) => versionsOf(folder));
  return [...versions, ...ofExperiments];
}

/**
 * The version with this name, `experiment/label`, name of a Run, or folder.
 *
 * @throws DestillError `InvalidSpec` if there is none.
 */
export function findVersion(root: string, reference: string): Version {
  const all = listVersions(root);
  const found =
    all.find(({ handle }) => handle === reference) ??
    all.find(({ run }) => run.metadata.name === reference) ??
    all.find(({ folder }) => resolve(folder) === resolve(reference));
  if (found) return found;
  const outside = existsSync(reference) ? readRun(reference) : undefined;
  if (outside) return { handle: reference, experiment: undefined, folder: reference, run: outside };

  const meant = nearest(
    reference,
    all.map(({ handle }) => handle),
  );
  throw new DestillError(
    'InvalidSpec',
    `There is no version ${reference} in ${root}.${meant ? ` Did you mean ${meant}?` : ''} "destill versions" lists them.`,
  );
}

/** `wanted-1`, or with the first number behind it that is free. */
export function freeName(root: string, wanted: string): string {
  for (let number = 1; ; number++) {
    const name = `${wanted}-${number}`;
    if (!existsSync(versionFolder(root, name))) return name;
  }
}

function versionsOf(folder: string): Version[] {
  const runs = readRuns(folder)
    .filter(({ spec }) => spec.parameters.role !== 'explanation')
    .toSorted(byStart);
  const seeds = new Set(runs.map(({ spec }) => spec.parameters.seed));
  const experiment = basename(folder);
  return runs.map((run) => ({
    handle: `${experiment}/${labelOf(run.spec.parameters, seeds.size > 1)}`,
    experiment,
    folder: runFolder(folder, run.metadata.name),
    run,
  }));
}

/** Runs start in the order of the Experiment: the teacher, baselines, arms. Those that have not started come last. */
function byStart(a: Run, b: Run): number {
  const [first, second] = [a, b].map(({ status }) => Date.parse(status?.startTime ?? '') || Number.MAX_VALUE);
  return (first ?? 0) - (second ?? 0);
}

function subfolders(parent: string): string[] {
  if (!existsSync(parent)) return [];
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(parent, name))
    .sort();
}
