import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { DestillError } from '@destillml/core/errors.ts';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { openS3Explanation } from '../explain/s3-explanation.ts';
import { Bucket } from '../storage/s3/bucket.ts';
import { isS3, s3Place } from '../storage/s3/place.ts';
import { UploadThread } from '../storage/s3/upload-thread.ts';
import type { ArtifactDeps, ArtifactFolders, Artifacts } from './artifacts.ts';
import { artifactFiles } from './checkpoint.ts';
import { nothingToKeep } from './nothing-to-keep.ts';
import { finishedResult } from './result.ts';
import { describeAssignment, fetchNamed, fetchTeacher, graceOf, listed, withBucket } from './s3-files.ts';

/** What a later attempt reads, in the order in which it is written: a checkpoint after the history that it counts. */
const keptFiles = [artifactFiles.best, artifactFiles.history, artifactFiles.last, artifactFiles.result];

/**
 * Artifacts that are kept in a bucket, or those of a teacher that are. A folder of this machine holds them while the Run
 * trains, and goes with it.
 *
 * @throws DestillError `StorageUnavailable`, `TeacherMissing`, `InvalidSpec`
 */
export async function openS3Artifacts(assignment: Assignment, deps: ArtifactDeps): Promise<Artifacts> {
  const { artifacts, teacherArtifacts } = assignment;
  const temporary = await mkdtemp(join(tmpdir(), 'destill-'));
  const remove = () => rm(temporary, { recursive: true, force: true });
  const here = (address: string, name: string) => (isS3(address) ? join(temporary, name) : address);
  const folders = {
    own: here(artifacts, 'own'),
    teacher: teacherArtifacts === undefined ? undefined : here(teacherArtifacts, 'teacher'),
    runs: isS3(artifacts) ? join(temporary, 'runs') : dirname(artifacts),
  };
  const renamed = (error: unknown) =>
    error instanceof DestillError ? withAddresses(error, assignment, folders) : error;
  try {
    const kept =
      assignment.parameters.role === 'explanation'
        ? await openS3Explanation(assignment, folders, deps, remove)
        : keeper(await fetchAll(assignment, folders, deps), deps, remove);
    return { folders, renamed, ...kept };
  } catch (error) {
    await remove();
    throw renamed(error);
  }
}

/** Fetches what is not on this machine. @returns what keeps the Run's files in its bucket, if something is to be kept */
async function fetchAll(
  assignment: Assignment,
  folders: ArtifactFolders,
  deps: ArtifactDeps,
): Promise<UploadThread | undefined> {
  const { artifacts, teacherArtifacts, parameters } = assignment;
  const place = isS3(artifacts) ? s3Place('ARTIFACTS', artifacts, deps.env) : undefined;
  if (place !== undefined) {
    await withBucket(new Bucket(place), (bucket) => fetchRun(bucket, assignment, folders.own, deps));
  }
  if (finishedResult(folders.own, parameters) !== undefined) return undefined;
  await fetchTeacher(teacherArtifacts, folders.teacher, deps);
  const { patience, warn } = deps;
  return place && new UploadThread({ place, folder: folders.own, names: keptFiles, patience, warn });
}

/** Goes on from what earlier attempts have left, and finds out before hours of training whether it may write. */
async function fetchRun(bucket: Bucket, assignment: Assignment, folder: string, deps: ArtifactDeps) {
  const stored = await listed(bucket, deps);
  await fetchNamed(bucket, stored, artifactFiles.result, folder, deps);
  if (finishedResult(folder, assignment.parameters) !== undefined) return;
  for (const name of [artifactFiles.last, artifactFiles.best, artifactFiles.history]) {
    await fetchNamed(bucket, stored, name, folder, deps);
  }
  await describeAssignment(bucket, assignment, deps);
}

function keeper(
  uploads: UploadThread | undefined,
  deps: ArtifactDeps,
  remove: () => Promise<void>,
): Omit<Artifacts, 'folders' | 'renamed'> {
  if (uploads === undefined) {
    return { ...nothingToKeep, close: remove };
  }
  const grace = graceOf(deps, () => uploads.stop());
  return {
    saved: () => uploads.saved(),
    lost: uploads.lost,
    finish: () => uploads.finish(),
    close: async () => {
      grace.begin();
      if (!uploads.lost.aborted) await uploads.finish().catch((error: Error) => deps.warn(error.message));
      grace.cancel();
      await uploads.close();
      await remove();
    },
  };
}

/** The error with addresses in place of folders that nobody else sees. */
function withAddresses(error: DestillError, assignment: Assignment, folders: ArtifactFolders): DestillError {
  const { artifacts, teacherArtifacts = '' } = assignment;
  const own = error.message.replaceAll(folders.own, artifacts);
  const runs = isS3(artifacts) ? own.replaceAll(folders.runs, posix.dirname(artifacts)) : own;
  const message = folders.teacher === undefined ? runs : runs.replaceAll(folders.teacher, teacherArtifacts);
  return message === error.message ? error : new DestillError(error.code, message, { cause: error });
}
