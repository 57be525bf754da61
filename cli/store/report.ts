import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { ExternalTeacher } from '@destillml/core/plan/teacher.ts';
import { latestExplanation, runFolders, writeReport } from '@destillml/trainer/report/write-report.ts';
import { readRun } from './run-folder.ts';

function reportPath(folder: string): string {
  return join(folder, 'report.html');
}

/** Where a report is written to, and what goes into it beside the Runs. */
export interface ExperimentReport {
  readonly out?: string | undefined;
  /** Folder of an explanation; default: that of "destill explain" or of an explanation Run, whichever is newer. */
  readonly explanations?: string | undefined;
  readonly teacher?: ExternalTeacher | undefined;
}

/**
 * Writes the report of an Experiment from what is in its folder: the folder of `destill run`, or one with the artifacts
 * of each Run as they lie on a cluster's volume or in its bucket.
 *
 * @returns where it is
 * @throws DestillError `InvalidSpec` where there is nothing of this Experiment, or a file is damaged.
 */
export function writeExperimentReport(
  experiment: Experiment,
  folder: string,
  now: Date,
  { out = reportPath(folder), explanations, teacher }: ExperimentReport,
): string {
  // "destill run" keeps Runs in a folder of their own, the operator right here.
  const own = join(folder, 'runs');
  const runs = existsSync(own) ? own : folder;
  writeReport(experiment, runs, now, {
    out,
    explanations: explanations ?? latestExplanation([join(folder, 'explanations'), ...runFolders(runs)]),
    teacher,
    readRun,
  });
  return out;
}
