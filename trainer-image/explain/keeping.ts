/** What an explanation keeps of its files, and what it reads of other Runs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DestillError } from '@destillml/core/errors.ts';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { type Explanations, explanationFiles, explanations } from '@destillml/core/results/explanations.ts';
import type { Keeping } from '../artifacts/artifacts.ts';
import { artifactFiles } from '../artifacts/files.ts';
import { readOrPutAside } from '../artifacts/put-aside.ts';
import { readJson } from '../report/stored-run.ts';
import { DamagedFile } from '../storage/damaged-file.ts';

const { document, report } = explanationFiles;

/** What the report tells of all Runs, and the networks that are explained, are read; everything is kept once it is done. */
export function explanationKeeping({ parameters: { explanation } }: Assignment): Keeping {
  const explained = new Set(explanation?.networks ?? []);
  const ofAll: readonly string[] = [artifactFiles.assignment, artifactFiles.result, artifactFiles.history];
  return {
    ends: [document, report],
    isFinished: isExplained,
    // All but the report is there: it is made of the rest.
    resumes: (kept) => (kept.includes(document) ? kept : []),
    reads: (run, file) => ofAll.includes(file) || (file === artifactFiles.best && explained.has(run)),
  };
}

/** Whether the explanation of a folder is there as a whole. */
export function isExplained(folder: string): boolean {
  try {
    return existsSync(join(folder, report)) && readDocument(folder) !== undefined;
  } catch (error) {
    if (error instanceof DamagedFile) return false;
    throw error;
  }
}

/** The document of an explanation, if there is one. A damaged one is kept beside, under another name. */
export function explanationIn(folder: string, note: (message: string) => void): Explanations | undefined {
  return readOrPutAside(() => readDocument(folder), join(folder, document), note);
}

/** @throws DamagedFile */
function readDocument(folder: string): Explanations | undefined {
  const path = join(folder, document);
  if (!existsSync(path)) return undefined;
  try {
    return readJson(path, explanations);
  } catch (cause) {
    if (!(cause instanceof DestillError)) throw cause;
    throw new DamagedFile(path, 'it is not an explanation', { cause });
  }
}
