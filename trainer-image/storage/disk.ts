/** What a file system refuses, as errors that a user can mend. */
import { mkdirSync, readFileSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DestillError } from '@destillml/core/errors.ts';
import { formatBytes } from '@destillml/core/text/bytes.ts';

/** Does what writes to `path`. @throws DestillError `StorageFull`, `StorageReadOnly`, …; whatever else `work` throws */
export async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw diskError(error, path) ?? error;
  }
}

/** As `writing`. */
export function writingSync<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw diskError(error, path) ?? error;
  }
}

/**
 * Makes a folder and those around it, unless they exist.
 *
 * @throws DestillError as `writing`: on a read-only volume mkdir's own recursion says that a folder is missing
 */
export function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!statSync(path, { throwIfNoEntry: false })) throw diskError(error, path) ?? error;
  }
}

/**
 * What an error of the operating system means for who reads it; undefined where it is none that others can mend.
 *
 * @param written what was written; without it, rights are not spoken of: the error may be one of reading
 */
export function diskError(error: unknown, written?: string): DestillError | undefined {
  if (!(error instanceof Error) || error instanceof DestillError || !('code' in error)) return undefined;
  const named = 'path' in error && typeof error.path === 'string' ? error.path : undefined;
  const path = written ?? named ?? 'A file';
  const made = (code: DestillError['code'], what: string) =>
    new DestillError(code, `${path}: ${what}`, { cause: error });
  switch (error.code) {
    case 'ENOSPC':
      return made(
        'StorageFull',
        `there is no room for it on ${volumeText(path)}${roomText(path)}. ${makeRoom}`,
      );
    case 'EDQUOT':
      return made('StorageFull', `the quota on ${volumeText(path)} is used up. ${makeRoom}`);
    case 'EFBIG':
      return made(
        'StorageFull',
        'files may not be that large here. Raise "ulimit -f", or use another file system.',
      );
    case 'EROFS':
      return made(
        'StorageReadOnly',
        `${volumeText(path)} is read-only. Mount it for writing, or name another folder.`,
      );
    case 'EACCES':
    case 'EPERM':
      if (written === undefined) return undefined;
      return made(
        'StorageReadOnly',
        `user ${process.getuid?.()} may not write there. Give that user the right, or name another folder.`,
      );
    case 'EIO':
    case 'ESTALE':
    case 'EREMOTEIO':
      return made(
        'StorageUnavailable',
        `${volumeText(path)} answers with an error (${error.code}). Look at the disk or the server behind it.`,
      );
    case 'EMFILE':
    case 'ENFILE':
      return made('Environment', `too many files are open. Raise "ulimit -n" for this process.`);
    case 'ENOMEM':
      return made('OutOfMemory', 'the system has no memory left for this process. Give it more.');
    default:
      return undefined;
  }
}

const makeRoom = 'Make room there or enlarge it; what was written before is whole, and is gone on from.';

/** `the volume at /artifacts`: where the file is, or would be. */
function volumeText(path: string): string {
  const at = mountOf(path);
  return at === undefined ? 'its volume' : `the volume at ${at}`;
}

/** ` (0 B of 10 GiB free)` */
function roomText(path: string): string {
  const at = mountOf(path);
  if (at === undefined) return '';
  const { bsize, bavail, blocks, ffree, files } = statfsSync(at);
  const room = `${formatBytes(bavail * bsize)} of ${formatBytes(blocks * bsize)} free`;
  return ` (${room}${files > 0 && ffree === 0 ? ', no file more' : ''})`;
}

/** The folder where the volume of a path is mounted; undefined where Linux does not say. */
function mountOf(path: string): string | undefined {
  try {
    const target = realpathSync(existing(resolve(path)));
    const points = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => unescaped(line.split(' ')[4] ?? ''))
      .filter((point) => point !== '' && isInside(target, point));
    return points.sort((a, b) => b.length - a.length)[0];
  } catch {
    return undefined;
  }
}

/** Spaces and the like are written as `\040`. */
function unescaped(point: string): string {
  return point.replaceAll(/\\(\d{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

function existing(path: string): string {
  return statSync(path, { throwIfNoEntry: false }) || path === '/' ? path : existing(dirname(path));
}
