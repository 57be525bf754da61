import { dirname } from 'node:path';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { isS3 } from '../storage/s3/place.ts';
import { type ArtifactDeps, type Artifacts, type Keeping, nothingToKeep } from './artifacts.ts';
import { lockFolder } from './lock.ts';

/**
 * Makes the files of a Run and of its teacher be in folders of this machine: they are there, or are fetched from S3.
 *
 * A folder that the Run's files stay in belongs to this process alone until `close`.
 *
 * @throws DestillError `Environment` where another works in it, `StorageUnavailable`, `TeacherMissing`, `InvalidSpec`
 */
export async function openArtifacts(
  assignment: Assignment,
  keeping: Keeping,
  deps: ArtifactDeps,
): Promise<Artifacts> {
  const { artifacts } = assignment;
  const isWritten = !isS3(artifacts) && !keeping.isFinished(artifacts);
  const unlock = isWritten ? await lockFolder(artifacts, deps) : () => undefined;
  try {
    const opened = await open(assignment, keeping, deps);
    return { ...opened, close: () => opened.close().finally(unlock) };
  } catch (error) {
    unlock();
    throw error;
  }
}

async function open(assignment: Assignment, keeping: Keeping, deps: ArtifactDeps): Promise<Artifacts> {
  const { artifacts, teacherArtifacts } = assignment;
  if (isS3(artifacts) || (teacherArtifacts !== undefined && isS3(teacherArtifacts))) {
    // Loads the SDK, which takes a moment and 36 MB.
    const { openS3Artifacts } = await import('./s3-artifacts.ts');
    return openS3Artifacts(assignment, keeping, deps);
  }
  return {
    ...nothingToKeep,
    folders: { own: artifacts, teacher: teacherArtifacts, runs: dirname(artifacts) },
    named: (text) => text,
    close: async () => undefined,
  };
}
