import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import type { Keeping } from '../artifacts/artifacts.ts';
import { artifactFiles, asideOf } from '../artifacts/files.ts';
import { finishedResult } from '../artifacts/result.ts';

/** What training keeps of its files. */
export function trainingKeeping(assignment: Assignment): Keeping {
  const { best, history, previous, last, result } = artifactFiles;
  // What is put aside before another file takes its name; the last checkpoint after the history that it counts.
  const aside = [last, previous, best, result].map(asideOf);
  return {
    ends: [result],
    isFinished: (folder) => finishedResult(folder, assignment) !== undefined,
    resumes: () => [last, previous, best, history],
    changing: [...aside, best, history, previous, last, result],
  };
}
