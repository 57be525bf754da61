/** Where the files of an explanation are while it is made, where they or the teacher's are in S3. */
import { readdir, readFile } from 'node:fs/promises';
import { join, posix, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { explanationFiles } from '@destillml/core/results/explanations.ts';
import { Bucket } from '../storage/s3/bucket.ts';
import { patiently } from '../storage/s3/patiently.ts';
import { isS3, s3Place } from '../storage/s3/place.ts';
import type { ArtifactDeps, ArtifactFolders, Artifacts } from '../training/artifacts.ts';
import { artifactFiles } from '../training/checkpoint.ts';
import { nothingToKeep } from '../training/nothing-to-keep.ts';
import {
  describeAssignment,
  fetchNamed,
  fetchTeacher,
  graceOf,
  listed,
  withBucket,
} from '../training/s3-files.ts';
import { finishedFiles, isExplained } from './finished.ts';

/**
 * Fetches what an explanation reads: all results, and the networks that it explains. What it writes is kept when it is
 * done.
 */
export async function openS3Explanation(
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
    // All but the report is there: it is made of the rest.
    const isWritten = stored.has(explanationFiles.document);
    for (const name of isWritten ? stored.keys() : []) await fetchNamed(bucket, stored, name, own, deps);
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
  const over = new AbortController();
  const { signal } = over;
  // What is done is not thrown away for some files that are missing.
  const grace = graceOf(deps, () => over.abort(deps.signal.reason));
  const wait = (milliseconds: number) => pause(milliseconds, undefined, { signal });
  try {
    for (const name of [...names.filter((name) => !last.includes(name)), ...last]) {
      const content = await readFile(join(folder, name));
      await patiently(() => bucket.write(name, content, signal), { patience, warn, wait });
    }
  } finally {
    grace.cancel();
  }
}
