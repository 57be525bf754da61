import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import type { Keeping } from '../artifacts/artifacts.ts';
import { artifactFiles } from '../artifacts/files.ts';
import { finishedResult } from '../artifacts/result.ts';

/** What training keeps of its files: what a later attempt reads, a checkpoint after the history that it counts. */
export function trainingKeeping({ parameters }: Assignment): Keeping {
  const { best, history, last, result } = artifactFiles;
  return {
    ends: [result],
    isFinished: (folder) => finishedResult(folder, parameters.training.epochs) !== undefined,
    resumes: () => [last, best, history],
    changing: [best, history, last, result],
  };
}
