/** Fetches the files of a data set from a bucket. */
import { createHash } from 'node:crypto';
import { join, posix } from 'node:path';
import type { DatasetName } from '@destillml/core/api/dataset.ts';
import { DestillError } from '@destillml/core/errors.ts';
import type { Bucket, StoredObject } from '../storage/s3/bucket.ts';
import { fetchObject } from '../storage/s3/fetch-object.ts';
import { patiently } from '../storage/s3/patiently.ts';
import { cifarFiles } from './cifar.ts';
import { corrupt } from './corrupt.ts';
import type { DownloadDeps } from './download.ts';
import { entryPath, entryProblem } from './entry-path.ts';
import { foldersDeep, type Wanted } from './files.ts';
import { idxFiles } from './idx.ts';

export interface BucketDeps extends Pick<DownloadDeps, 'wait' | 'onProgress' | 'signal'> {
  /** Told where the bucket is away and waited for. */
  readonly warn: (message: string) => void;
}

/** Objects fetched at the same time. */
const parallel = 8;
/** How long the bucket may be away at a time, in milliseconds. */
export const patience = 60_000;

/**
 * Makes a folder below `folder` hold the objects that the data set is made of; what is there already is not fetched
 * again. Objects that have changed are others: they come into another folder.
 *
 * @returns the folder; where it is all in one archive, the archive
 * @throws DestillError `DatasetUnavailable`; `DatasetCorrupt` on a key that leads out of the folder
 */
export async function fetchFromBucket(
  name: DatasetName,
  bucket: Bucket,
  folder: string,
  deps: BucketDeps,
): Promise<string> {
  const bearing = (signal: AbortSignal | undefined) => ({
    patience,
    warn: deps.warn,
    wait: (milliseconds: number) => deps.wait(milliseconds, signal),
  });
  const all = await patiently(() => bucket.list(deps.signal), bearing(deps.signal));
  const objects = objectsOf(name, all, bucket.uri());
  const place = join(folder, `s3-${digest(bucket.uri(), objects)}`);
  const targetOf = (object: StoredObject) => join(place, object.name || posix.basename(bucket.uri()));
  await inParallel(objects, deps.signal, async (object, signal) => {
    const what = bucket.uri(object.name);
    await patiently((getsOn) => {
      const onProgress = (done: number, total: number | undefined) => {
        getsOn();
        deps.onProgress?.({ step: 'download', what, done, total });
      };
      return fetchObject(bucket, object, targetOf(object), { wait: deps.wait, onProgress, signal });
    }, bearing(signal));
  });
  const [first, ...others] = objects;
  return first && others.length === 0 && isArchive(first) ? targetOf(first) : place;
}

/** The objects that the data set is made of. `uri` is where they are. */
function objectsOf(name: DatasetName, all: readonly StoredObject[], uri: string): readonly StoredObject[] {
  const [only, ...others] = all;
  // The path is the key of one object: an archive, whatever its name.
  if (only?.name === '' && others.length === 0) return all;
  const found = name === 'image-folder' ? imagesOf(all) : named(all, wantedFiles[name], name, uri);
  if (found.length === 0) {
    throw new DestillError(
      'DatasetUnavailable',
      `${uri}: none of the ${all.length} objects there is ${expected(name)}. Correct spec.dataset.source.s3.prefix: the folder of these files, or the key of an archive with them.`,
    );
  }
  checkPaths(found, uri);
  return found;
}

/** Every object becomes a file of its own. */
function checkPaths(objects: readonly StoredObject[], uri: string): void {
  const refused = (name: string, what: string) =>
    corrupt(`${uri}/${name}`, `the key ${what}`, 'Rename the object.');
  const files = new Set<string>();
  for (const { name } of objects) {
    const problem = entryProblem(name);
    if (problem !== undefined) throw refused(name, problem);
    const path = entryPath(name);
    if (files.has(path)) throw refused(name, 'is that of a file like another');
    files.add(path);
  }
  for (const path of files) {
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) {
      if (files.has(folder)) throw refused(path, `is below ${folder}, which is a file`);
    }
  }
}

const wantedFiles: Readonly<Record<Exclude<DatasetName, 'image-folder'>, Wanted>> = {
  cifar10: cifarFiles('cifar10'),
  cifar100: cifarFiles('cifar100'),
  mnist: idxFiles,
  'fashion-mnist': idxFiles,
};

function expected(name: DatasetName): string {
  if (name === 'image-folder')
    return 'an image such as train/CLASS/1.png, or the one archive with them (.tar, .tar.gz)';
  const { names, archive } = wantedFiles[name];
  return `${names[0]}${archive === undefined ? '' : ` or ${archive}`}`;
}

/** The objects that findFiles finds, and what belongs to them. */
function named(
  all: readonly StoredObject[],
  { names, archive }: Wanted,
  dataset: DatasetName,
  uri: string,
): readonly StoredObject[] {
  const isOf = (object: StoredObject, wanted: readonly string[]) => {
    const base = posix.basename(object.name);
    return base === archive || wanted.some((name) => base === name || base === `${name}.gz`);
  };
  const found = all.filter(
    (object) => isOf(object, names) && object.name.split('/').length <= foldersDeep + 1,
  );
  const byFolder = Map.groupBy(found, ({ name }) => posix.dirname(name));
  const sets = [...byFolder].filter(([, objects]) =>
    objects.some((object) => isOf(object, names.slice(0, 1))),
  );
  const [first, ...others] = sets;
  // MNIST and Fashion-MNIST have the same names.
  if (others.length > 0) {
    const folders = sets.map(([folder]) => (folder === '.' ? uri : `${uri}/${folder}`)).sort();
    throw new DestillError(
      'DatasetUnavailable',
      `${uri}: files of ${dataset} are in ${folders.length} folders: ${folders.join(', ')}. Set spec.dataset.source.s3.prefix to the one that is meant.`,
    );
  }
  return first?.[1] ?? found;
}

function imagesOf(all: readonly StoredObject[]): StoredObject[] {
  const images = all.filter(({ name }) => /(^|\/)(train|test|val)\/[^/]+\/[^/]+\.(jpe?g|png)$/i.test(name));
  if (images.length > 0) return images;
  const archives = all.filter(isArchive);
  return archives.length === 1 ? archives : [];
}

function isArchive({ name }: StoredObject): boolean {
  return name === '' || /\.(tar|tar\.gz|tgz)$/i.test(name);
}

/** Names this state of the objects. */
export function digest(uri: string, objects: readonly StoredObject[]): string {
  const hash = createHash('sha256').update(uri);
  for (const { name, size, etag } of objects) hash.update(`\n${name} ${size} ${etag}`);
  return hash.digest('hex').slice(0, 16);
}

/** Handles all items, some at a time; where one fails, the others are broken off before the error is thrown. */
async function inParallel<T>(
  items: readonly T[],
  signal: AbortSignal | undefined,
  handle: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const broken = new AbortController();
  const either = signal ? AbortSignal.any([signal, broken.signal]) : broken.signal;
  const queue = items.values();
  const inTurn = async () => {
    for (const item of queue) await handle(item, either);
  };
  const turns = Array.from({ length: parallel }, inTurn);
  try {
    await Promise.all(turns);
  } catch (error) {
    broken.abort();
    await Promise.allSettled(turns);
    throw error;
  }
}
