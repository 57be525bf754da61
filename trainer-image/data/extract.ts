/** Unpacks an archive of images into a folder. */
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { writeAside } from './aside.ts';
import { corrupt } from './corrupt.ts';
import type { Progress } from './download.ts';
import { tarEntries } from './tar.ts';

export interface ExtractDeps {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes `folder` hold the files of the tar archive, unless the folder exists; it appears complete or not at all.
 *
 * @throws DestillError `DatasetCorrupt` on an archive that is damaged or names files outside of itself.
 */
export async function extract(
  archive: string,
  folder: string,
  { onProgress, signal }: ExtractDeps,
): Promise<void> {
  if (await stat(folder).catch(() => undefined)) return;
  await mkdir(dirname(folder), { recursive: true });
  await writeAside(folder, async (aside) => {
    await mkdir(aside);
    let done = 0;
    for await (const entry of tarEntries(archive, signal)) {
      const path = posix.normalize(entry.name);
      if (posix.isAbsolute(path) || path.split('/').includes('..')) {
        throw corrupt(archive, `names a file outside of itself: ${entry.name}`, 'Do not use this archive.');
      }
      await mkdir(join(aside, dirname(path)), { recursive: true });
      await writeFile(join(aside, path), await entry.body(), { flush: true });
      onProgress?.({ step: 'unpack', what: archive, done: ++done, total: undefined });
    }
  });
}

/** `folder`, or the folder inside it where `name` is. */
export async function folderWith(name: string, folder: string): Promise<string> {
  for (const each of ['.', ...(await readdir(folder))]) {
    if (await stat(join(folder, each, name)).catch(() => undefined)) return join(folder, each);
  }
  return folder;
}
