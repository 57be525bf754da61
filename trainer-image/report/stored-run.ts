import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Run, runParameters, runResult, trial } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { assignment } from '@destillml/core/protocol/assignment.ts';
import { z } from 'zod';
import { artifactFiles } from '../artifacts/files.ts';
import { readHistory } from '../artifacts/history.ts';

/** What is read of a `result.json`. */
const resultFile = z.object({
  run: z.string(),
  experiment: z.string(),
  parameters: runParameters,
  trial: trial.optional(),
  result: runResult,
});

/**
 * A Run as its trainer leaves it at the end, or at the rung where it is paused. Undefined for all others: how one that
 * was stopped, or has failed, came to its end stands in no file.
 *
 * @throws DestillError `InvalidSpec` where what it left is damaged.
 */
export function readStoredRun(folder: string): Run | undefined {
  return readFinishedRun(folder) ?? readPausedRun(folder);
}

/**
 * A Run as its trainer leaves it at the end; undefined where it has not ended.
 *
 * @throws DestillError `InvalidSpec` where its result is damaged.
 */
export function readFinishedRun(folder: string): Run | undefined {
  const path = join(folder, artifactFiles.result);
  if (!existsSync(path)) return undefined;
  const { run, result, ...spec } = readJson(path, resultFile);
  return {
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Run',
    metadata: { name: run },
    spec: { ...spec, suspend: false },
    status: { phase: 'Succeeded', conditions: [], result },
  };
}

/** A Run of a search that is trained as far as it was told. */
function readPausedRun(folder: string): Run | undefined {
  const path = join(folder, artifactFiles.assignment);
  if (!existsSync(path)) return undefined;
  const { name, experiment, parameters, trial, untilEpoch } = readJson(path, assignment);
  const reached = readHistory(folder);
  if (trial === undefined || untilEpoch === undefined || !reached.some(({ epoch }) => epoch === untilEpoch)) {
    return undefined;
  }
  const validationAccuracy = Math.max(...reached.map((record) => record.validationAccuracy));
  return {
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Run',
    metadata: { name },
    spec: { experiment, parameters, trial, untilEpoch, suspend: false },
    status: { phase: 'Paused', conditions: [], rungs: [{ epoch: untilEpoch, validationAccuracy }] },
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
