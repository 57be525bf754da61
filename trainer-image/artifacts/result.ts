import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunResult, runParameters, runResult } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { z } from 'zod';
import { writeJsonAtomic } from '../storage/atomic.ts';
import { artifactFiles } from './files.ts';

/** `result.json` of a Run: the result and everything that led to it. */
export const resultDocument = z.strictObject({
  run: z.string(),
  experiment: z.string(),
  parameters: runParameters,
  result: runResult,
  classes: z.array(z.string()),
  data: z.strictObject({ origin: z.string(), notes: z.array(z.string()) }),
  environment: z.strictObject({ node: z.string(), tensorflow: z.string(), device: z.enum(['cpu', 'gpu']) }),
});

export type ResultDocument = z.output<typeof resultDocument>;

/** The result of a Run that has nothing left to train, from the folder of its artifacts. */
export function finishedResult(folder: string, epochs: number): RunResult | undefined {
  const path = join(folder, artifactFiles.result);
  if (!existsSync(path)) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new DestillError('CheckpointUnusable', `${path} is not JSON: delete it to evaluate again.`, {
      cause,
    });
  }
  const parsed = resultDocument.safeParse(content);
  if (!parsed.success) {
    throw new DestillError('CheckpointUnusable', `${path} is not a result: delete it to evaluate again.`);
  }
  const { result } = parsed.data;
  // More epochs than it was trained for: training goes on.
  return result.epochs >= epochs ? result : undefined;
}

export function writeResult(folder: string, document: ResultDocument): void {
  writeJsonAtomic(join(folder, artifactFiles.result), document);
}
