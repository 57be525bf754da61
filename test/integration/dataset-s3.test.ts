/** Data sets in a real S3 store. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Dataset, dataset } from '@destillml/core/api/dataset.ts';
import type { S3Location } from '@destillml/core/api/locations.ts';
import { exitCodes } from '@destillml/core/protocol/report.ts';
import { resultDocument } from '@destillml/trainer/artifacts/result.ts';
import { defaultLoadDeps, type LoadDeps, load } from '@destillml/trainer/data/load.ts';
import type { Bucket } from '@destillml/trainer/storage/s3/bucket.ts';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { cifar10Files, mnistFiles, tarGz, temporaryFolder } from '../trainer-image/data/made-files.ts';
import { runTrainer } from '../trainer-image/process.ts';
import { smallRun } from '../trainer-image/training/run.ts';
import { guestKeys, S3Store } from './s3-store.ts';

let store: S3Store;
beforeAll(async () => {
  store = await S3Store.start();
});
afterAll(() => store.remove());

async function put(prefix: string, files: Readonly<Record<string, Buffer>>): Promise<void> {
  const bucket = store.bucket('lab', prefix);
  for (const [name, content] of Object.entries(files)) await bucket.write(name, content);
}

function spec(name: string, prefix: string): Dataset {
  const s3 = { bucket: 'lab', prefix, endpoint: store.endpoint, secretName: 'keys' };
  return dataset.parse({ name, imageSize: 16, validation: 10, source: { s3 } });
}

async function openBucket({ bucket, prefix }: S3Location): Promise<Bucket> {
  return store.bucket(bucket, prefix.replace(/\/$/, ''), 'DATASET');
}

/** Loads it, and tells what was fetched for it. */
async function loaded(name: string, prefix: string, folder: string, deps: Partial<LoadDeps> = {}) {
  const before = store.requests().length;
  const data = await load(spec(name, prefix), folder, { ...defaultLoadDeps, openBucket, ...deps });
  const requests = store.requests().slice(before);
  const fetched = requests
    .filter((request) => request.startsWith('GetObject '))
    .map((request) => request.slice(10));
  return { data, fetched };
}

const image = (background: string) =>
  sharp({ create: { width: 20, height: 20, channels: 3, background } })
    .png()
    .toBuffer();

test('the files of MNIST, some of them gzipped, are fetched from a folder, once, and nothing else', async () => {
  const files = mnistFiles();
  const labels = 'train-labels-idx1-ubyte';
  const { [labels]: plain = Buffer.alloc(0), ...others } = files;
  await put('sets/mnist', {
    ...others,
    [`${labels}.gz`]: gzipSync(plain),
    'README.md': Buffer.from('hello'),
  });
  await put('sets/mnist-copy', files);
  const folder = await temporaryFolder();
  const first = await loaded('mnist', 'sets/mnist', folder);
  expect([first.data.train.count, first.data.test.count]).toEqual([20, 10]);
  expect(first.data.origin).toBe('s3://lab/sets/mnist');
  expect(first.fetched.sort()).toEqual([
    'sets/mnist/t10k-images-idx3-ubyte',
    'sets/mnist/t10k-labels-idx1-ubyte',
    'sets/mnist/train-images-idx3-ubyte',
    'sets/mnist/train-labels-idx1-ubyte.gz',
  ]);
  expect((await loaded('mnist', 'sets/mnist/', folder)).fetched).toEqual([]);
});

test('an object that has been replaced is fetched, even if it is as long as before', async () => {
  const folder = await temporaryFolder();
  const files = mnistFiles();
  await put('replaced', files);
  const before = await loaded('mnist', 'replaced', folder);
  const labels = Buffer.from(files['t10k-labels-idx1-ubyte'] ?? []);
  labels.subarray(8).reverse();
  await put('replaced', { 't10k-labels-idx1-ubyte': labels });
  const after = await loaded('mnist', 'replaced', folder);
  expect([...before.data.test.labels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect([...after.data.test.labels]).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
});

test.each([
  ['in a folder under its usual name', 'archives/cifar', 'cifar-10-binary.tar.gz', 'archives/cifar'],
  ['whose key the prefix is, whatever its name', 'archives', 'mine.tgz', 'archives/mine.tgz'],
])('an archive %s', async (_, place, name, prefix) => {
  await put(place, { [name]: tarGz(cifar10Files()) });
  const { data, fetched } = await loaded('cifar10', prefix, await temporaryFolder());
  expect([data.train.count, data.test.count]).toEqual([50, 10]);
  expect(fetched).toEqual([`${place}/${name}`]);
});

test('folders of images, each image an object or all in one archive', async () => {
  const files = {
    'train/blue/1.png': await image('blue'),
    'train/red/1.png': await image('red'),
    'train/red/2.png': await image('red'),
    'test/blue/1.png': await image('blue'),
    'test/red/1.png': await image('red'),
  };
  await put('pictures', { ...files, 'notes/train.txt': Buffer.from('not an image') });
  await put('packed', { 'pictures.tar.gz': tarGz(files) });
  for (const prefix of ['pictures', 'packed', 'packed/pictures.tar.gz']) {
    const { data, fetched } = await loaded('image-folder', prefix, await temporaryFolder());
    expect([data.classes, data.train.count, data.test.count]).toEqual([['blue', 'red'], 3, 2]);
    expect(fetched).toHaveLength(prefix === 'pictures' ? 5 : 1);
  }
});

test.each([
  ['mnist', 'is train-images-idx3-ubyte'],
  ['cifar100', 'is fine_label_names.txt or cifar-100-binary.tar.gz'],
  ['image-folder', 'is an image such as train/CLASS/1.png, or the one archive with them (.tar, .tar.gz)'],
])('a place without the files of %s is refused: it is said which are looked for', async (name, what) => {
  await put('elsewhere', { 'a.txt': Buffer.from('a'), 'b.txt': Buffer.from('b') });
  await expect(loaded(name, 'elsewhere', await temporaryFolder())).rejects.toMatchObject({
    code: 'DatasetUnavailable',
    message: `s3://lab/elsewhere: none of the 2 objects there ${what}. Correct spec.dataset.source.s3.prefix: the folder of these files, or the key of an archive with them.`,
  });
});

test('a folder with several data sets of the same names is refused: a folder of it has to be named', async () => {
  const files = mnistFiles();
  const labels = 'train-labels-idx1-ubyte';
  await put('both/mnist', { ...files, [`${labels}.gz`]: gzipSync(files[labels] ?? Buffer.alloc(0)) });
  await put('both/fashion/raw', files);
  // Deeper than it is looked.
  await put('both/old/2019/raw', files);
  const folder = await temporaryFolder();
  await expect(loaded('mnist', 'both', folder)).rejects.toMatchObject({
    code: 'DatasetUnavailable',
    message:
      's3://lab/both: files of mnist are in 2 folders: s3://lab/both/fashion/raw, s3://lab/both/mnist. Set spec.dataset.source.s3.prefix to the one that is meant.',
  });
  const one = await loaded('mnist', 'both/mnist', folder);
  expect(one.data.train.count).toBe(20);
  expect(one.fetched).toHaveLength(5);
  const other = await loaded('mnist', 'both/fashion', folder);
  expect(other.fetched.every((key) => key.startsWith('both/fashion/raw/'))).toBe(true);

  // A file elsewhere that is called like another one is none of them.
  await put('both/fashion/notes', { [labels]: Buffer.from('see there') });
  const again = await loaded('mnist', 'both/fashion', await temporaryFolder());
  expect(again.fetched.sort()).toEqual(other.fetched.sort());
});

test('a store that goes away after it was listed is waited for, longer than five tries', async () => {
  await put('away', mnistFiles());
  onTestFinished(() => store.start());
  const bucket = store.bucket('lab', 'away', 'DATASET');
  const list = bucket.list.bind(bucket);
  const leaving = Object.assign(bucket, {
    list: async () => {
      const objects = await list();
      await store.stop();
      return objects;
    },
  });
  const warnings: string[] = [];
  let pauses = 0;
  const { data } = await loaded('mnist', 'away', await temporaryFolder(), {
    openBucket: async () => leaving,
    warn: (message) => warnings.push(message),
    wait: async () => {
      // Of four objects, eight times each.
      if (++pauses === 32) await store.start();
    },
  });
  expect(data.train.count).toBe(20);
  expect(warnings).toHaveLength(4);
  expect(warnings[0]).toMatch(
    /^It is tried again\. S3 bucket lab at .*: it cannot be reached to read s3:\/\/lab\/away\/.*ECONNREFUSED/,
  );
});

test('a trainer reads its data set with keys of its own, and says if it may not', async () => {
  await store.makeReadable('sets', guestKeys);
  const mnist = store.bucket('sets', 'mnist');
  for (const [name, content] of Object.entries(mnistFiles(20))) await mnist.write(name, content);
  const run = (bucket: string) => {
    const s3 = { bucket, prefix: 'mnist', endpoint: store.endpoint, secretName: 'keys' };
    return smallRun({
      artifacts: artifacts,
      parameters: { dataset: { name: 'mnist', imageSize: 16, validation: 20, source: { s3 } } },
      training: { epochs: 1 },
    });
  };
  const artifacts = await temporaryFolder();
  const env = {
    DESTILL_DATASET_S3_ACCESS_KEY_ID: guestKeys.accessKeyId,
    DESTILL_DATASET_S3_SECRET_ACCESS_KEY: guestKeys.secretAccessKey,
  };
  const refused = await runTrainer(run('lab'), { env });
  expect(refused).toMatchObject({
    code: exitCodes.failed,
    last: {
      code: 'DatasetUnavailable',
      message: `S3 bucket lab at ${store.endpoint}: the access key may not list s3://lab/mnist. Allow it s3:ListBucket and s3:GetObject, or put another into the Secret that spec.dataset.source.s3.secretName names.`,
    },
  });
  const done = await runTrainer(run('sets'), { env });
  expect(done.code, done.errors).toBe(exitCodes.succeeded);
  const result = readFileSync(join(artifacts, 'result.json'), 'utf8');
  expect(resultDocument.parse(JSON.parse(result)).data.origin).toBe('s3://sets/mnist');
  expect(JSON.stringify([refused, done, result])).not.toContain(guestKeys.secretAccessKey);
  expect(readdirSync(artifacts).sort()).toEqual([
    'assignment.json',
    'checkpoints',
    'history.jsonl',
    'result.json',
    'trainer.lock',
  ]);
});
