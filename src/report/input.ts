import type { Experiment } from '../api/experiment.ts';
import type { EpochRecord, Run } from '../api/run.ts';
import type { ExternalTeacher } from '../plan/teacher.ts';
import type { Explanations } from '../results/explanations.ts';

/** A Run, and what is known of its epochs. */
export interface ReportRun {
  readonly run: Run;
  /** By epoch, oldest first. */
  readonly history: readonly EpochRecord[];
}

/** All that a report is made of. */
export interface ReportInput {
  readonly experiment: Experiment;
  readonly runs: readonly ReportRun[];
  /** What was found for `spec.teacher.from`. */
  readonly teacher?: ExternalTeacher | undefined;
  /** `spec` with all defaults, as YAML. */
  readonly settings: string;
  /** Versions of DestillML and what it ran on, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly explanations?: ReportExplanations | undefined;
  readonly createdAt: Date;
}

export interface ReportExplanations {
  readonly document: Explanations;
  /** A PNG for each image, in base64; undefined where there is none, or the page has no room for it. */
  readonly figures: readonly (string | undefined)[];
}
