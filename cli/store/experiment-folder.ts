import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { type Results, results } from '@destillml/core/results/document.ts';
import { writeAtomic, writeJsonAtomic } from '@destillml/trainer/storage/atomic.ts';
import { readRun } from './run-folder.ts';

const files = { experiment: 'experiment.yaml', results: 'results.json', runs: 'runs' } as const;

/** Folder of one Run of an Experiment. */
export function runFolder(folder: string, name: string): string {
  return join(folder, files.runs, name);
}

/** Where the Experiment of a folder is kept as its author wrote it. */
export function experimentPath(folder: string): string {
  return join(folder, files.experiment);
}

export function hasExperiment(folder: string): boolean {
  return existsSync(experimentPath(folder));
}

export function writeExperiment(folder: string, text: string): void {
  writeAtomic(experimentPath(folder), [Buffer.from(text)]);
}

/** The Runs of an Experiment, by name. */
export function readRuns(folder: string): Run[] {
  const parent = join(folder, files.runs);
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .sort()
    .flatMap((name) => readRun(join(parent, name)) ?? []);
}

export function resultsPath(folder: string): string {
  return join(folder, files.results);
}

export function writeResults(folder: string, document: Results): void {
  writeJsonAtomic(resultsPath(folder), document);
}

/** @throws DestillError `InvalidSpec` if the file is not there or is no `results.json`. */
export function readResults(path: string): Results {
  if (!existsSync(path)) {
    throw new DestillError(
      'InvalidSpec',
      `${path} does not exist. "destill run" writes it when the first Run has ended.`,
    );
  }
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new DestillError('InvalidSpec', `${path} is not JSON: ${String(cause)}`, { cause });
  }
  const parsed = results.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new DestillError(
    'InvalidSpec',
    `${path} is not a results.json of DestillML: ${issue?.path.join('.')}: ${issue?.message}.`,
  );
}
