/** What an explanation keeps of its files, and what it reads of other Runs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { explanationFiles } from '@destillml/core/results/explanations.ts';
import type { Keeping } from '../artifacts/artifacts.ts';
import { artifactFiles } from '../artifacts/files.ts';

/** What is written last, in this order. */
const ends = [explanationFiles.document, explanationFiles.report] as const;

/** Whether the explanation of a folder is there as a whole. */
export function isExplained(folder: string): boolean {
  return ends.every((name) => existsSync(join(folder, name)));
}

/** All results, and the networks that are explained, are read; everything is kept once it is done. */
export function explanationKeeping({ parameters: { explanation } }: Assignment): Keeping {
  const explained = new Set(explanation?.networks ?? []);
  const ofAll: readonly string[] = [artifactFiles.result, artifactFiles.history];
  return {
    ends,
    isFinished: isExplained,
    // All but the report is there: it is made of the rest.
    resumes: (kept) => (kept.includes(explanationFiles.document) ? kept : []),
    reads: (run, file) => ofAll.includes(file) || (file === artifactFiles.best && explained.has(run)),
  };
}
