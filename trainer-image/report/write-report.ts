import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { EpochRecord, Run } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import type { ExternalTeacher } from '@destillml/core/plan/teacher.ts';
import type { ReportExplanations } from '@destillml/core/report/input.ts';
import { experimentReport } from '@destillml/core/report/report.ts';
import { explanationFiles, explanations } from '@destillml/core/results/explanations.ts';
import { stringify } from 'yaml';
import { readHistory } from '../artifacts/history.ts';
import { writeAtomic } from '../storage/atomic.ts';
import { environmentOf } from './environment.ts';
import { readJson, readStoredRun } from './stored-run.ts';

/** Figures in a page: what a browser still scrolls through. The others are in their folder. */
const mostFigureBytes = 64 << 20;

/** Where a report is written to, and what goes into it beside the Runs that have ended. */
export interface ReportPlaces {
  readonly out: string;
  /** Folder of the explanation. */
  readonly explanations: string | undefined;
  readonly teacher?: ExternalTeacher | undefined;
  /** The Run of a folder, where more is known than its result. */
  readonly readRun?: (folder: string) => Run | undefined;
}

/**
 * Writes the report of an Experiment.
 *
 * @param folder in which each Run has a folder with its artifacts.
 * @throws DestillError `InvalidSpec` where there is nothing of this Experiment, or a file is damaged.
 */
export function writeReport(
  experiment: Experiment,
  folder: string,
  now: Date,
  { out, explanations, teacher, readRun }: ReportPlaces,
): void {
  const { name } = experiment.metadata;
  const runs = runFolders(folder).flatMap((path) => {
    const run = readRun?.(path) ?? readStoredRun(path);
    return run?.spec.experiment === name ? [{ path, run, history: byEpoch(readHistory(path)) }] : [];
  });
  if (runs.length === 0) {
    throw new DestillError('InvalidSpec', `${folder} holds no Run of the Experiment ${name}.`);
  }
  const report = experimentReport({
    experiment,
    runs,
    teacher,
    settings: stringify(experiment.spec),
    versions: environmentOf(runs.map(({ path }) => path)),
    explanations: explanations === undefined ? undefined : readExplanations(explanations),
    createdAt: now,
  });
  writeAtomic(out, [Buffer.from(report)]);
}

/** The explanation that was written last in one of these folders. */
export function latestExplanation(folders: readonly string[]): string | undefined {
  const [latest] = folders
    .flatMap((folder) => {
      const path = join(folder, explanationFiles.document);
      return existsSync(path) ? [{ folder, written: statSync(path).mtimeMs }] : [];
    })
    .sort((a, b) => b.written - a.written);
  return latest?.folder;
}

export function runFolders(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name))
    .sort();
}

/** An epoch that was trained again after a kill counts as it was last. */
function byEpoch(records: readonly EpochRecord[]): readonly EpochRecord[] {
  const last = new Map(records.map((record) => [record.epoch, record]));
  return [...last.values()].sort((a, b) => a.epoch - b.epoch);
}

function readExplanations(folder: string): ReportExplanations | undefined {
  const path = join(folder, explanationFiles.document);
  if (!existsSync(path)) return undefined;
  const document = readJson(path, explanations);
  let room = mostFigureBytes;
  const figures = document.images.map((_, index) => {
    const path = join(folder, explanationFiles.figure(index));
    if (!existsSync(path)) return undefined;
    room -= statSync(path).size;
    return room < 0 ? undefined : readFileSync(path).toString('base64');
  });
  return { document, figures };
}
