import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, posix, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DestillError } from '@destillml/core/errors.ts';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { finishedFiles, isExplained } from '../explain/finished.ts';
import { Bucket, type StoredObject } from '../storage/s3/bucket.ts';
import { fetchObject } from '../storage/s3/fetch-object.ts';
import { type Patience, patiently } from '../storage/s3/patiently.ts';
import { isS3, s3Place } from '../storage/s3/place.ts';
import { UploadThread } from '../storage/s3/upload-thread.ts';
import type { ArtifactDeps, ArtifactFolders, Artifacts } from './artifacts.ts';
import { artifactFiles } from './checkpoint.ts';
import { nothingToKeep } from './nothing-to-keep.ts';
import { finishedResult } from './result.ts';

/** How long a store may be away when a Run starts, in milliseconds, however patient it is: nothing is lost yet. */
const longestStart = 2 * 60_000;
/** How long uploads may go on after SIGTERM, in milliseconds, however patient they are: pods are killed after 120 s. */
const longestGrace = 100_000;

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
        ? await keeperOfExplanation(assignment, folders, deps, remove)
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

async function describeAssignment(bucket: Bucket, assignment: Assignment, deps: ArtifactDeps) {
  const description = Buffer.from(`${JSON.stringify(assignment, null, 2)}\n`);
  await patiently(() => bucket.write(artifactFiles.assignment, description, deps.signal), bearing(deps));
}

async function fetchTeacher(
  address: string | undefined,
  folder: string | undefined,
  deps: ArtifactDeps,
): Promise<void> {
  if (address === undefined || folder === undefined || !isS3(address)) return;
  await withBucket(new Bucket(s3Place('TEACHER', address, deps.env)), async (bucket) => {
    const stored = await listed(bucket, deps);
    // Where it is not there, the message of describeTeacher says so.
    for (const name of [artifactFiles.best, artifactFiles.result]) {
      await fetchNamed(bucket, stored, name, folder, deps);
    }
  });
}

/**
 * Fetches what an explanation reads: all results, and the networks that it explains. What it writes is kept when it is
 * done.
 */
async function keeperOfExplanation(
  assignment: Assignment,
  { own, teacher, runs }: ArtifactFolders,
  deps: ArtifactDeps,
  remove: () => Promise<void>,
): Promise<Omit<Artifacts, 'folders' | 'renamed'>> {
  const { artifacts, teacherArtifacts, parameters } = assignment;
  const finished = { ...nothingToKeep, close: remove };
  if (!isS3(artifacts)) {
    await fetchTeacher(teacherArtifacts, teacher, deps);
    return finished;
  }
  const bucket = new Bucket(s3Place('ARTIFACTS', artifacts, deps.env), { keepAlive: true });
  const close = async () => {
    bucket.close();
    await remove();
  };
  try {
    const stored = await listed(bucket, deps);
    for (const name of finishedFiles) await fetchNamed(bucket, stored, name, own, deps);
    if (isExplained(own)) return { ...finished, close };
    await describeAssignment(bucket, assignment, deps);
    await fetchTeacher(teacherArtifacts, teacher, deps);
    const place = s3Place('ARTIFACTS', posix.dirname(artifacts), deps.env);
    await withBucket(new Bucket(place, { keepAlive: true }), (all) =>
      fetchRuns(all, parameters.explanation?.networks ?? [], runs, deps),
    );
    return { ...finished, finish: () => keepFolder(bucket, own, deps), close };
  } catch (error) {
    bucket.close();
    throw error;
  }
}

async function fetchRuns(bucket: Bucket, networks: readonly string[], folder: string, deps: ArtifactDeps) {
  const explained = new Set(networks);
  const stored = await listed(bucket, deps);
  for (const name of stored.keys()) {
    const [run = '', ...path] = name.split('/');
    const file = path.join('/');
    const isNeeded =
      file === artifactFiles.result ||
      file === artifactFiles.history ||
      (file === artifactFiles.best && explained.has(run));
    if (isNeeded) await fetchNamed(bucket, stored, name, folder, deps);
  }
}

/** Whoever sees the last of the files sees them all. */
async function keepFolder(bucket: Bucket, folder: string, deps: ArtifactDeps): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  const last: readonly string[] = finishedFiles;
  const { patience, warn } = deps;
  const { signal, release } = graceAfter(deps);
  const wait = (milliseconds: number) => pause(milliseconds, undefined, { signal });
  try {
    for (const name of [...names.filter((name) => !last.includes(name)), ...last]) {
      const content = await readFile(join(folder, name));
      await patiently(() => bucket.write(name, content, signal), { patience, warn, wait });
    }
  } finally {
    release();
  }
}

/** Aborted some time after SIGTERM: what is done is not thrown away for some files that are missing. */
function graceAfter({ signal, patience }: ArtifactDeps) {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const hurry = () => {
    timer ??= setTimeout(() => over.abort(signal.reason), Math.min(patience, longestGrace));
  };
  signal.addEventListener('abort', hurry);
  if (signal.aborted) hurry();
  const release = () => {
    signal.removeEventListener('abort', hurry);
    clearTimeout(timer);
  };
  return { signal: over.signal, release };
}

type Stored = ReadonlyMap<string, StoredObject>;

async function listed(bucket: Bucket, deps: ArtifactDeps): Promise<Stored> {
  const objects = await patiently(() => bucket.list(deps.signal), bearing(deps));
  return new Map(objects.map((object) => [object.name, object]));
}

async function fetchNamed(bucket: Bucket, stored: Stored, name: string, folder: string, deps: ArtifactDeps) {
  const object = stored.get(name);
  if (object === undefined) return;
  const { signal } = deps;
  const patience = bearing(deps);
  const { wait } = patience;
  await patiently(
    (getsOn) => fetchObject(bucket, object, join(folder, name), { wait, onProgress: getsOn, signal }),
    patience,
  );
}

function bearing({ patience, warn, signal }: ArtifactDeps): Patience {
  return {
    patience: Math.min(patience, longestStart),
    warn,
    wait: (milliseconds) => pause(milliseconds, undefined, { signal }),
  };
}

async function withBucket(bucket: Bucket, action: (bucket: Bucket) => Promise<void>): Promise<void> {
  try {
    await action(bucket);
  } finally {
    bucket.close();
  }
}

function keeper(
  uploads: UploadThread | undefined,
  { patience, signal, warn }: ArtifactDeps,
  remove: () => Promise<void>,
): Omit<Artifacts, 'folders' | 'renamed'> {
  if (uploads === undefined) {
    return { ...nothingToKeep, close: remove };
  }
  let timer: NodeJS.Timeout | undefined;
  const hurry = () => {
    timer ??= setTimeout(() => uploads.stop(), Math.min(patience, longestGrace));
  };
  signal.addEventListener('abort', hurry);
  if (signal.aborted) hurry();
  return {
    saved: () => uploads.saved(),
    lost: uploads.lost,
    finish: () => uploads.finish(),
    close: async () => {
      hurry();
      if (!uploads.lost.aborted) await uploads.finish().catch((error: Error) => warn(error.message));
      signal.removeEventListener('abort', hurry);
      clearTimeout(timer);
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
