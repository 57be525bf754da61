import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bucket } from '../storage/s3/bucket.ts';
import { patiently } from '../storage/s3/patiently.ts';
import type { ArtifactDeps } from './artifacts.ts';
import { graceOf } from './s3-files.ts';

/** Keeps all files of a folder in a bucket, some of them last: whoever sees the last of those sees them all. */
export async function keepFolder(
  bucket: Bucket,
  folder: string,
  last: readonly string[],
  deps: ArtifactDeps,
): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
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
