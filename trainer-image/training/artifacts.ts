import { dirname } from 'node:path';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { isS3 } from '../storage/s3/place.ts';
import { nothingToKeep } from './nothing-to-keep.ts';

/** Folders of this machine in which training reads and writes. */
export interface ArtifactFolders {
  readonly own: string;
  /** Of the teacher, whose best checkpoint is read. */
  readonly teacher?: string | undefined;
  /** In which those of the other Runs are, by their names: what an explanation reads. */
  readonly runs: string;
}

/** Where the files of a Run are while it trains, and how they come to where they are kept. */
export interface Artifacts {
  readonly folders: ArtifactFolders;
  /** Keeps what the folder holds at this moment. It does not wait. */
  readonly saved: () => void;
  /** Aborted, with a DestillError as reason, where nothing could be kept for too long. */
  readonly lost: AbortSignal;
  /** Resolves once everything is kept. @throws DestillError `StorageUnavailable` where it cannot be */
  readonly finish: () => Promise<void>;
  /** An error of training that names addresses instead of folders that nobody else sees. */
  readonly renamed: (error: unknown) => unknown;
  /** Ends it. What is not kept yet has a moment left. */
  readonly close: () => Promise<void>;
}

export interface ArtifactDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long a store may be away, in milliseconds. */
  readonly patience: number;
  readonly warn: (message: string) => void;
  /** Aborted on SIGTERM: what is not kept yet has a moment left. */
  readonly signal: AbortSignal;
}

/**
 * Makes the files of a Run and of its teacher be in folders of this machine: they are there, or are fetched from S3.
 *
 * @throws DestillError `StorageUnavailable`, `TeacherMissing`, `InvalidSpec`
 */
export async function openArtifacts(assignment: Assignment, deps: ArtifactDeps): Promise<Artifacts> {
  const { artifacts, teacherArtifacts } = assignment;
  if (isS3(artifacts) || (teacherArtifacts !== undefined && isS3(teacherArtifacts))) {
    // Loads the SDK, which takes a moment and 36 MB.
    const { openS3Artifacts } = await import('./s3-artifacts.ts');
    return openS3Artifacts(assignment, deps);
  }
  return {
    ...nothingToKeep,
    folders: { own: artifacts, teacher: teacherArtifacts, runs: dirname(artifacts) },
    renamed: (error) => error,
    close: async () => undefined,
  };
}
