/** Files of Runs between a bucket and folders of this machine. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { Bucket, type StoredObject } from '../storage/s3/bucket.ts';
import { fetchObject } from '../storage/s3/fetch-object.ts';
import { type Patience, patiently } from '../storage/s3/patiently.ts';
import { isS3, s3Place } from '../storage/s3/place.ts';
import type { ArtifactDeps } from './artifacts.ts';
import { artifactFiles } from './files.ts';

/** How long a store may be away when a Run starts, in milliseconds, however patient it is: nothing is lost yet. */
const longestStart = 2 * 60_000;
/** How long uploads may go on after SIGTERM, in milliseconds, however patient they are: pods are killed after 120 s. */
const longestGrace = 100_000;

type Stored = ReadonlyMap<string, StoredObject>;

export async function listed(bucket: Bucket, deps: ArtifactDeps): Promise<Stored> {
  const objects = await patiently(() => bucket.list(deps.signal), bearing(deps));
  return new Map(objects.map((object) => [object.name, object]));
}

export async function fetchNamed(
  bucket: Bucket,
  stored: Stored,
  name: string,
  folder: string,
  deps: ArtifactDeps,
) {
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

export async function withBucket(bucket: Bucket, action: (bucket: Bucket) => Promise<void>): Promise<void> {
  try {
    await action(bucket);
  } finally {
    bucket.close();
  }
}

export async function describeAssignment(bucket: Bucket, assignment: Assignment, deps: ArtifactDeps) {
  const description = Buffer.from(`${JSON.stringify(assignment, null, 2)}\n`);
  await patiently(() => bucket.write(artifactFiles.assignment, description, deps.signal), bearing(deps));
}

export async function fetchTeacher(
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
 * Ends what still uploads, some time after SIGTERM.
 *
 * @returns `begin` lets that time begin earlier; `cancel` has to be called in the end.
 */
export function graceOf({ signal, patience }: ArtifactDeps, end: () => void) {
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    timer ??= setTimeout(end, Math.min(patience, longestGrace));
  };
  signal.addEventListener('abort', begin);
  if (signal.aborted) begin();
  const cancel = () => {
    signal.removeEventListener('abort', begin);
    clearTimeout(timer);
  };
  return { begin, cancel };
}
