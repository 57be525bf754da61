import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { writing } from '../storage/disk.ts';
import { Bucket } from '../storage/s3/bucket.ts';
import { isS3, s3Place } from '../storage/s3/place.ts';
import { UploadThread } from '../storage/s3/upload-thread.ts';
import {
  type ArtifactDeps,
  type ArtifactFolders,
  type Artifacts,
  type Keeping,
  nothingToKeep,
} from './artifacts.ts';
import { renamed } from './renamed.ts';
import { describeAssignment, fetchNamed, fetchTeacher, graceOf, listed, withBucket } from './s3-files.ts';
import { keepFolder } from './s3-folder.ts';

type Keeper = Omit<Artifacts, 'folders' | 'named'>;

/**
 * Artifacts that are kept in a bucket, or those of a teacher that are. A folder of this machine holds them while the Run
 * works, and goes with it.
 *
 * @throws DestillError `StorageUnavailable`, `TeacherMissing`, `InvalidSpec`
 */
export async function openS3Artifacts(
  assignment: Assignment,
  keeping: Keeping,
  deps: ArtifactDeps,
): Promise<Artifacts> {
  const { artifacts, teacherArtifacts } = assignment;
  const temporary = await writing(tmpdir(), () => mkdtemp(join(tmpdir(), 'destill-')));
  const remove = () => rm(temporary, { recursive: true, force: true });
  const here = (address: string, name: string) => (isS3(address) ? join(temporary, name) : address);
  const folders = {
    own: here(artifacts, 'own'),
    teacher: teacherArtifacts === undefined ? undefined : here(teacherArtifacts, 'teacher'),
    runs: isS3(artifacts) ? join(temporary, 'runs') : dirname(artifacts),
  };
  const named = (text: string) => withAddresses(text, assignment, folders);
  try {
    const isFinished = await fetchAll(assignment, folders, keeping, deps);
    const keeps = isS3(artifacts) && !isFinished;
    const kept = keeps
      ? keeper(artifacts, folders.own, keeping, deps, remove)
      : { ...nothingToKeep, close: remove };
    return { folders, named, ...kept };
  } catch (error) {
    await remove();
    throw renamed(error, named);
  }
}

/** Fetches what is not on this machine. @returns whether nothing is left to do */
async function fetchAll(
  assignment: Assignment,
  folders: ArtifactFolders,
  keeping: Keeping,
  deps: ArtifactDeps,
): Promise<boolean> {
  const { artifacts, teacherArtifacts } = assignment;
  const { own, teacher, runs } = folders;
  if (isS3(artifacts)) {
    const place = s3Place('ARTIFACTS', artifacts, deps.env);
    await withBucket(new Bucket(place), (bucket) => fetchOwn(bucket, assignment, own, keeping, deps));
  }
  if (keeping.isFinished(own)) return true;
  await fetchTeacher(teacherArtifacts, teacher, deps);
  const { reads } = keeping;
  if (reads !== undefined && isS3(artifacts)) {
    const place = s3Place('ARTIFACTS', posix.dirname(artifacts), deps.env);
    await withBucket(new Bucket(place, { keepAlive: true }), (all) => fetchRuns(all, reads, runs, deps));
  }
  return false;
}

/** Goes on from what earlier attempts have left, and finds out before hours of work whether it may write. */
async function fetchOwn(
  bucket: Bucket,
  assignment: Assignment,
  folder: string,
  { ends, isFinished, resumes }: Keeping,
  deps: ArtifactDeps,
) {
  const stored = await listed(bucket, deps);
  for (const name of ends) await fetchNamed(bucket, stored, name, folder, deps);
  if (isFinished(folder)) return;
  for (const name of resumes([...stored.keys()])) await fetchNamed(bucket, stored, name, folder, deps);
  await describeAssignment(bucket, assignment, deps);
}

async function fetchRuns(
  bucket: Bucket,
  reads: NonNullable<Keeping['reads']>,
  folder: string,
  deps: ArtifactDeps,
) {
  const stored = await listed(bucket, deps);
  for (const name of stored.keys()) {
    const [run = '', ...path] = name.split('/');
    if (reads(run, path.join('/'))) await fetchNamed(bucket, stored, name, folder, deps);
  }
}

/** What keeps the Run's files in its bucket. */
function keeper(
  artifacts: string,
  folder: string,
  { changing, ends }: Keeping,
  deps: ArtifactDeps,
  remove: () => Promise<void>,
): Keeper {
  const { patience, warn } = deps;
  const place = s3Place('ARTIFACTS', artifacts, deps.env);
  if (changing === undefined) {
    const finish = () =>
      withBucket(new Bucket(place, { keepAlive: true }), (bucket) => keepFolder(bucket, folder, ends, deps));
    return { ...nothingToKeep, finish, close: remove };
  }
  return uploader(new UploadThread({ place, folder, names: changing, patience, warn }), deps, remove);
}

function uploader(uploads: UploadThread, deps: ArtifactDeps, remove: () => Promise<void>): Keeper {
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

/** The text with addresses in place of folders that nobody else sees. */
function withAddresses(text: string, assignment: Assignment, folders: ArtifactFolders): string {
  const { artifacts, teacherArtifacts = '' } = assignment;
  const own = text.replaceAll(folders.own, artifacts);
  const runs = isS3(artifacts) ? own.replaceAll(folders.runs, posix.dirname(artifacts)) : own;
  return folders.teacher === undefined ? runs : runs.replaceAll(folders.teacher, teacherArtifacts);
}
