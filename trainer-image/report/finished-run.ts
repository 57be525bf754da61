import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Run, runParameters, runResult } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { z } from 'zod';
import { artifactFiles } from '../artifacts/files.ts';

/** What is read of a `result.json`. */
const resultFile = z.object({
  run: z.string(),
  experiment: z.string(),
  parameters: runParameters,
  result: runResult,
});

/**
 * A Run as its trainer leaves it at the end; undefined where it has not ended.
 *
 * @throws DestillError `InvalidSpec` where its result is damaged.
 */
export function readFinishedRun(folder: string): Run | undefined {
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

/** @throws DestillError `InvalidSpec` where the file is not as DestillML writes it. */
export function readJson<T extends z.ZodType>(path: string, schema: T): z.output<T> {
  const found = schema.safeParse(parsed(readFileSync(path, 'utf8')));
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  throw new DestillError(
    'InvalidSpec',
    `${path} is not as DestillML writes it: ${issue?.path.join('.')}: ${issue?.message}.`,
  );
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
