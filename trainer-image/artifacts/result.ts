import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type RunResult, runParameters, runResult, trial } from '@destillml/core/api/run.ts';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { z } from 'zod';
import { writeJsonAtomic } from '../storage/atomic.ts';
import { DamagedFile } from '../storage/damaged-file.ts';
import { artifactFiles } from './files.ts';
import { readOrPutAside } from './put-aside.ts';

/** `result.json` of a Run: the result and everything that led to it. */
export const resultDocument = z.strictObject({
  run: z.string(),
  experiment: z.string(),
  parameters: runParameters,
  /** Of a search. */
  trial: trial.optional(),
  result: runResult,
  classes: z.array(z.string()),
  data: z.strictObject({ origin: z.string(), notes: z.array(z.string()) }),
  environment: z.strictObject({
    node: z.string(),
    tensorflow: z.string(),
    device: z.enum(['cpu', 'gpu']),
    /** Numbers of threads of TensorFlow, one after the other; older versions do not say. */
    threads: z.string().optional(),
  }),
});

export type ResultDocument = z.output<typeof resultDocument>;

/**
 * The result of a Run that has nothing left to train, from the folder of its artifacts. What another Run of its name has
 * left there, which tried something else, is none.
 */
export function finishedResult(
  folder: string,
  { parameters, trial }: Pick<Assignment, 'parameters' | 'trial'>,
): RunResult | undefined {
  const { epochs } = parameters.training;
  try {
    const document = readResult(folder);
    if (!isDeepStrictEqual(document?.trial?.values, trial?.values)) return undefined;
    const result = document?.result;
    // More epochs than it was trained for: training goes on.
    return result !== undefined && result.epochs >= epochs ? result : undefined;
  } catch (error) {
    if (error instanceof DamagedFile) return undefined;
    throw error;
  }
}

/** A damaged result is kept beside, under another name: it is found again. */
export function putAsideDamagedResult(folder: string, note: (message: string) => void): void {
  readOrPutAside(() => readResult(folder), join(folder, artifactFiles.result), note);
}

export function writeResult(folder: string, document: ResultDocument): void {
  writeJsonAtomic(join(folder, artifactFiles.result), document);
}

/** @throws DamagedFile */
function readResult(folder: string): ResultDocument | undefined {
  const path = join(folder, artifactFiles.result);
  if (!existsSync(path)) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new DamagedFile(path, 'it is not JSON', { cause });
  }
  const parsed = resultDocument.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new DamagedFile(path, 'it is not a result', { cause: parsed.error });
}
