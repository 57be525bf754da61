import { fetchFromBucket } from '@destillml/trainer/data/s3-source.ts';
import { Bucket } from '@destillml/trainer/storage/s3/bucket.ts';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './made-files.ts';

/** A bucket in which objects of these names are said to be; none is ever read. */
class Listed extends Bucket {
  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    super({
      purpose: 'DATASET',
      bucket: 'lab',
      path: 'photos',
      endpoint: 'http://127.0.0.1:9',
      region: 'us-east-1',
      accessKeyId: 'x',
      secretAccessKey: 'x',
    });
    this.#names = names;
  }

  override async list() {
    return this.#names.map((name) => ({ name, size: 1, etag: '"0"' }));
  }
}

describe('keys of objects that become files', () => {
  it.each([
    [['x/../train/a/1.png'], 'x/../train/a/1.png: the key leads out of the folder'],
    [['train/a\u001b/\0.png'], 'train/a\\u001b/\\u0000.png: the key has a NUL in its name'],
    [[`train/a/${'x'.repeat(300)}.png`], '.png: the key has a name of more than 255 bytes'],
    [['x/train/a/1.png', 'x//train/a/1.png'], 'x//train/a/1.png: the key is that of a file like another'],
    [
      ['train/a/1.png', 'train/a/1.png/train/b/2.png'],
      'train/a/1.png/train/b/2.png: the key is below train/a/1.png, which is a file',
    ],
  ])('are refused before anything is fetched: %j', async (names, what) => {
    const bucket = new Listed(names);
    const deps = { wait: () => Promise.resolve(), warn: () => undefined };
    const fetching = fetchFromBucket('image-folder', bucket, await temporaryFolder(), deps);
    await expect(fetching).rejects.toMatchObject({
      code: 'DatasetCorrupt',
      message: expect.stringContaining(`${what}. Rename the object.`),
    });
    bucket.close();
  });
});
