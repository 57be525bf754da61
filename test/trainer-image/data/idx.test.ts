import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodeIdx, readIdx } from '@destillml/trainer/data/idx.ts';
import { describe, expect, it } from 'vitest';
import { idx, mnistFiles, pixel, tarGz, temporaryFolder, writeFiles } from './made-files.ts';

const classes = [...'0123456789'];

async function read(files: Record<string, Uint8Array>, size = 32) {
  const folder = await temporaryFolder();
  await writeFiles(folder, files);
  return readIdx(folder, classes, size);
}

describe('readIdx', () => {
  it('puts the grey image between two pixels of zeros and copies it to three channels', async () => {
    const { train, test } = await read(mnistFiles());
    expect([train.count, test.count, train.size]).toEqual([20, 10, 32]);
    expect([...train.labels.subarray(8, 12)]).toEqual([8, 9, 0, 1]);
    const image = new Uint8Array(3072);
    await train.read([7], image);
    const expected = Uint8Array.from({ length: 3072 }, (_, i) => {
      const [row, column] = [Math.floor(i / 96) - 2, Math.floor((i % 96) / 3) - 2];
      const inside = row >= 0 && row < 28 && column >= 0 && column < 28;
      return inside ? pixel(7, row * 28 + column) : 0;
    });
    expect(image).toEqual(expected);
  });

  it('adds nothing at 28 pixels', async () => {
    const { train } = await read(mnistFiles(), 28);
    const image = new Uint8Array(28 * 28 * 3);
    await train.read([3], image);
    expect([image[0], image[3], image[2351]]).toEqual([pixel(3, 0), pixel(3, 1), pixel(3, 783)]);
  });

  it('reads gzipped files, in a subfolder, and an archive of them', async () => {
    const zipped = Object.entries(mnistFiles()).map(
      ([name, content]) => [`${name}.gz`, gzipSync(content)] as const,
    );
    const below = Object.fromEntries(zipped.map(([name, content]) => [`MNIST/raw/${name}`, content]));
    expect((await read(below)).train.count).toBe(20);
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'mnist.tar.gz': tarGz(Object.fromEntries(zipped)) });
    expect((await readIdx(join(folder, 'mnist.tar.gz'), classes, 32)).train.count).toBe(20);
  });

  it('reads what encodeIdx writes', () => {
    expect(encodeIdx([2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6))).toEqual(
      idx([2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)),
    );
  });
});

describe('a damaged IDX file is refused:', () => {
  it.each<[string, string, (file: Buffer) => Buffer, string]>([
    [
      'truncated',
      'train-images-idx3-ubyte',
      (f) => f.subarray(0, 5000),
      'truncated: ends at byte 5000, its header says 15696, it has 5000. Fetch the file again.',
    ],
    [
      'cut in the header',
      'train-images-idx3-ubyte',
      (f) => f.subarray(0, 10),
      'truncated: 10 of 16 header bytes. Fetch the file again.',
    ],
    [
      'too long',
      't10k-labels-idx1-ubyte',
      (f) => Buffer.concat([f, Buffer.of(1)]),
      'too long: goes on at byte 18, its header says 18, it has 19. Fetch the file again.',
    ],
    [
      'wrong magic number',
      'train-images-idx3-ubyte',
      (f) => Buffer.concat([Buffer.of(0x1f, 0x8c), f.subarray(2)]),
      'magic number 0x1f8c0803 at byte 0, not 0x00000803: not this kind of IDX file. Fetch the file again.',
    ],
    [
      'labels in place of images',
      't10k-images-idx3-ubyte',
      () => mnistFiles()['t10k-labels-idx1-ubyte']!,
      'magic number 0x00000801 at byte 0, not 0x00000803: not this kind of IDX file. Fetch the file again.',
    ],
    [
      'no items',
      'train-labels-idx1-ubyte',
      () => idx([0], new Uint8Array()),
      'empty: 0 items (byte 4). Fetch the file again.',
    ],
    [
      'a label that does not exist',
      'train-labels-idx1-ubyte',
      (f) => Buffer.concat([f.subarray(0, 13), Buffer.of(200), f.subarray(14)]),
      'label 200 at byte 13; there are 10 classes. Fetch the file again.',
    ],
    [
      'a class without images',
      't10k-labels-idx1-ubyte',
      (f) => Buffer.concat([f.subarray(0, 17), Buffer.of(0)]),
      '1 of 10 classes have no image: 9. Use the complete data set.',
    ],
    [
      'images of another size',
      't10k-images-idx3-ubyte',
      () => idx([10, 14, 56], new Uint8Array(7840)),
      'images of 56 × 14 pixels (bytes 8 – 15), not 28 × 28. Use the files of MNIST or Fashion-MNIST, or the data set image-folder.',
    ],
  ])('%s', async (_, name, change, message) => {
    const files = mnistFiles();
    files[name] = change(files[name]!);
    const error = await read(files).catch((refused) => refused);
    expect(error.code).toBe('DatasetCorrupt');
    expect(error.message.replace(/^.*\//, '')).toBe(`${name}: ${message}`);
  });

  it('other numbers of labels and images', async () => {
    const files = mnistFiles();
    files['train-labels-idx1-ubyte'] = mnistFiles(3)['train-labels-idx1-ubyte']!;
    await expect(read(files)).rejects.toThrow(
      /train-labels-idx1-ubyte: 30 labels \(byte 4\) for the 20 images of .*train-images-idx3-ubyte\. Fetch the file again\.$/,
    );
  });

  it('a truncated gzip file', async () => {
    const { 'train-images-idx3-ubyte': images, ...files } = mnistFiles();
    const cut = gzipSync(images!).subarray(0, 3000);
    await expect(read({ ...files, 'train-images-idx3-ubyte.gz': cut })).rejects.toThrow(
      /train-images-idx3-ubyte\.gz: not a complete gzip file \(3000 bytes\): unexpected end of file/,
    );
  });
});
