import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Experiment } from '@destillml/core/api/experiment.ts';
import { type EpochRecord, type Run, runParameters, runResult } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import type { ExternalTeacher } from '@destillml/core/plan/teacher.ts';
import { explanationFiles, explanations } from '@destillml/core/report/explanations.ts';
import type { ReportExplanations } from '@destillml/core/report/input.ts';
import { experimentReport } from '@destillml/core/report/report.ts';
import { writeAtomic } from '@destillml/trainer/storage/atomic.ts';
import { artifactFiles } from '@destillml/trainer/training/checkpoint.ts';
import { readHistory } from '@destillml/trainer/training/history.ts';
import { stringify } from 'yaml';
import { z } from 'zod';
import { environmentOf } from './environment.ts';
import { readRun } from './run-folder.ts';

/** What is read of a `result.json`. */
const resultFile = z.object({
  run: z.string(),
  experiment: z.string(),
  parameters: runParameters,
  result: runResult,
});

export function reportPath(folder: string): string {
  return join(folder, 'report.html');
}

/** Where the explanations of an Experiment are, unless one says otherwise. */
export function explanationsFolder(folder: string): string {
  return join(folder, 'explanations');
}

/** Where a report is written to, and what goes into it beside the Runs. */
export interface ReportPlaces {
  readonly out: string;
  readonly explanations: string;
  readonly teacher?: ExternalTeacher | undefined;
}

/**
 * Writes the report of an Experiment from what is in its folder: the folder of `destill run`, or one with the artifacts
 * of each Run as they lie on a cluster's volume or in its bucket.
 *
 * @throws DestillError `InvalidSpec` where there is nothing of this Experiment, or a file is damaged.
 */
export function writeReport(experiment: Experiment, folder: string, now: Date, places: ReportPlaces): void {
  const { name } = experiment.metadata;
  const runs = runFolders(folder).flatMap((path) => {
    const run = readRun(path) ?? finishedRun(path);
    return run?.spec.experiment === name ? [{ path, run, history: byEpoch(readHistory(path)) }] : [];
  });
  if (runs.length === 0) {
    throw new DestillError('InvalidSpec', `${folder} holds no Run of the Experiment ${name}.`);
  }
  const report = experimentReport({
    experiment,
    runs,
    teacher: places.teacher,
    settings: stringify(experiment.spec),
    versions: environmentOf(runs.map(({ path }) => path)),
    explanations: readExplanations(places.explanations),
    createdAt: now,
  });
  writeAtomic(places.out, [Buffer.from(report)]);
}

/** Folders of Runs: `destill run` keeps them in `runs`, the operator right here. */
function runFolders(folder: string): readonly string[] {
  const own = join(folder, 'runs');
  const parent = existsSync(own) ? own : folder;
  if (!existsSync(parent)) return [];
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(parent, name))
    .sort();
}

/** A Run as its trainer leaves it at the end. */
function finishedRun(folder: string): Run | undefined {
  const path = join(folder, artifactFiles.result);
  if (!existsSync(path)) return undefined;
  const { run, experiment, parameters, result } = readJson(path, resultFile);
  return {
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Run',
    metadata: { name: run },
    spec: { experiment, parameters, suspend: false },
    status: { phase: 'Succeeded', conditions: [], result },
  };
}

/** An epoch that was trained again after a kill counts as it was last. */
function byEpoch(records: readonly EpochRecord[]): readonly EpochRecord[] {
  const last = new Map(records.map((record) => [record.epoch, record]));
  return [...last.values()].sort((a, b) => a.epoch - b.epoch);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function readExplanations(folder: string): ReportExplanations | undefined {
  const path = join(folder, explanationFiles.document);
  if (!existsSync(path)) return undefined;
  const document = readJson(path, explanations);
  const figures = document.images.map((_, index) => {
    const figure = join(folder, explanationFiles.figure(index));
    return existsSync(figure) ? readFileSync(figure).toString('base64') : undefined;
  });
  return { document, figures };
}

function readJson<T extends z.ZodType>(path: string, schema: T): z.output<T> {
  const found = schema.safeParse(parsed(readFileSync(path, 'utf8')));
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  throw new DestillError(
    'InvalidSpec',
    `${path} is not as DestillML writes it: ${issue?.path.join('.')}: ${issue?.message}.`,
  );
}
