import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readCifar } from '@destillml/trainer/data/cifar.ts';
import { describe, expect, it } from 'vitest';
import {
  cifar10Classes,
  cifar10Files,
  cifar100Files,
  cifarRecord,
  pixel,
  tar,
  tarGz,
  temporaryFolder,
  writeFiles,
} from './made-files.ts';

/** What the reader is to make of the made-up image: pixel by pixel R, G, B. */
function interleaved(image: number): Uint8Array {
  return Uint8Array.from({ length: 3072 }, (_, i) => pixel(image, (i % 3) * 1024 + Math.floor(i / 3)));
}

async function folderWith(files: Record<string, Uint8Array>): Promise<string> {
  const folder = await temporaryFolder();
  await writeFiles(folder, files);
  return folder;
}

describe('CIFAR-10', () => {
  it('is read from its files in the order of the batches, as pixels of three channels', async () => {
    const { train, test } = await readCifar('cifar10', await folderWith(cifar10Files()));
    expect([train.count, test.count, train.size]).toEqual([50, 10, 32]);
    expect(train.classes).toEqual(cifar10Classes);
    expect([...train.labels.subarray(0, 12)]).toEqual([0, 3, 6, 9, 2, 5, 8, 1, 4, 7, 0, 3]);
    const images = new Uint8Array(3 * 3072);
    await train.read([49, 0, 10], images);
    expect(images).toEqual(Uint8Array.from([...interleaved(49), ...interleaved(0), ...interleaved(10)]));
    await test.read([9], images);
    expect(images.subarray(0, 3072)).toEqual(interleaved(59));
  });

  it('is found in the folder its archive unpacks to, and gzipped', async () => {
    const inside = Object.entries(cifar10Files()).map(([name, content]) => [
      `cifar-10-batches-bin/${name}`,
      content,
    ]);
    expect((await readCifar('cifar10', await folderWith(Object.fromEntries(inside)))).train.count).toBe(50);
    const zipped = Object.entries(cifar10Files()).map(([name, content]) => [`${name}.gz`, gzipSync(content)]);
    expect((await readCifar('cifar10', await folderWith(Object.fromEntries(zipped)))).train.count).toBe(50);
  });

  it('is read from its original archive, whatever the order of the files in it', async () => {
    const entries = Object.entries(cifar10Files()).reverse();
    const archive = tarGz(
      Object.fromEntries(entries.map(([name, content]) => [`cifar-10-batches-bin/${name}`, content])),
    );
    const folder = await folderWith({ 'cifar-10-binary.tar.gz': archive });
    for (const place of [folder, join(folder, 'cifar-10-binary.tar.gz')]) {
      const { train } = await readCifar('cifar10', place);
      const image = new Uint8Array(3072);
      await train.read([20], image);
      expect(image).toEqual(interleaved(20));
    }
  });

  it('says that the number of images is not the published one', async () => {
    const { notes } = await readCifar('cifar10', await folderWith(cifar10Files()));
    expect(notes).toEqual(['Not the published number of images (50,000 and 10,000): 50 and 10.']);
  });
});

describe('CIFAR-100', () => {
  it('takes the fine label', async () => {
    const { train, test } = await readCifar('cifar100', await folderWith(cifar100Files()));
    expect([train.count, test.count]).toEqual([500, 100]);
    expect(train.classes[57]).toBe('fine57');
    expect(train.labels[57]).toBe(57);
    const image = new Uint8Array(3072);
    await train.read([57], image);
    expect(image).toEqual(interleaved(57));
  });
});

describe('a damaged CIFAR is refused:', () => {
  async function refusal(change: (files: Record<string, Buffer>) => void): Promise<unknown> {
    const files = cifar10Files();
    change(files);
    const folder = await folderWith(files);
    return readCifar('cifar10', folder).catch((error) => ({
      code: error.code,
      message: error.message.replaceAll(`${folder}/`, ''),
    }));
  }
  const corrupt = (message: string) => ({
    code: 'DatasetCorrupt',
    message: `${message}. Fetch the data set again.`,
  });

  it('a file that ends within a record', async () => {
    const result = await refusal((files) => {
      files['data_batch_3.bin'] = files['data_batch_3.bin']!.subarray(0, 3073 * 4 + 100);
    });
    expect(result).toEqual(
      corrupt(
        'data_batch_3.bin: truncated or not a CIFAR file: the record at byte 12292 has 100 of 3073 bytes',
      ),
    );
  });

  it('a file that ends between two records', async () => {
    const result = await refusal((files) => {
      files['data_batch_3.bin'] = files['data_batch_3.bin']!.subarray(0, 3073 * 4);
    });
    expect(result).toEqual(
      corrupt(
        'data_batch_3.bin: 12292 bytes where test_batch.bin of 30730 calls for 30730: one of the two is truncated',
      ),
    );
  });

  it('an empty file', async () => {
    const result = await refusal((files) => {
      files['test_batch.bin'] = Buffer.alloc(0);
    });
    expect(result).toEqual(corrupt('test_batch.bin: empty'));
  });

  it('a label that does not exist', async () => {
    const result = await refusal((files) => {
      files['data_batch_2.bin']![3073 * 7] = 10;
    });
    expect(result).toEqual(corrupt('data_batch_2.bin: label 10 at byte 21511; there are 10 classes'));
  });

  it('a class without images', async () => {
    const result = await refusal((files) => {
      files['test_batch.bin']![3073 * 1] = 0;
    });
    expect(result).toEqual({
      code: 'DatasetCorrupt',
      message: 'test_batch.bin: 1 of 10 classes have no image: cat. Use the complete data set.',
    });
  });

  it('class names that are not ten', async () => {
    const result = await refusal((files) => {
      files['batches.meta.txt'] = Buffer.from('cat\ndog\n');
    });
    expect(result).toEqual(corrupt('batches.meta.txt: names 2 classes, not 10'));
  });

  it('a missing file', async () => {
    const result = await refusal((files) => {
      delete files['data_batch_5.bin'];
    });
    expect(result).toMatchObject({
      code: 'DatasetUnavailable',
      message: expect.stringContaining('data_batch_5.bin is missing. Put the complete data set there.'),
    });
  });

  it('a fine label of CIFAR-100 that does not exist', async () => {
    const files = cifar100Files();
    files['test.bin'] = Buffer.concat([files['test.bin']!.subarray(0, 3074 * 99), cifarRecord([3, 100], 1)]);
    const folder = await folderWith(files);
    await expect(readCifar('cifar100', folder)).rejects.toThrow(
      `${folder}/test.bin: label 100 at byte ${3074 * 99 + 1}; there are 100 classes. Fetch the data set again.`,
    );
  });

  it('an empty folder and a folder that is not there', async () => {
    const folder = await temporaryFolder();
    await expect(readCifar('cifar10', folder)).rejects.toMatchObject({
      code: 'DatasetUnavailable',
      message: expect.stringContaining('holds neither batches.meta.txt nor cifar-10-binary.tar.gz'),
    });
    await expect(readCifar('cifar10', join(folder, 'nowhere'))).rejects.toMatchObject({
      code: 'DatasetUnavailable',
      message: expect.stringContaining('/nowhere: no such folder'),
    });
  });
});

describe('a damaged archive is refused:', () => {
  const archive = tarGz(cifar10Files());
  async function refusal(content: Uint8Array): Promise<unknown> {
    const folder = await temporaryFolder();
    const path = join(folder, 'cifar-10-binary.tar.gz');
    await writeFile(path, content);
    return readCifar('cifar10', path).catch(
      (error) => `${error.code} ${error.message.replace(path, 'ARCHIVE')}`,
    );
  }

  it('cut short in the compressed stream', async () => {
    expect(await refusal(archive.subarray(0, 5000))).toMatch(
      /^DatasetCorrupt ARCHIVE: cannot be read at compressed byte 5000: unexpected end of file\. Fetch the archive again\.$/,
    );
  });

  it('with a flipped bit in the compressed stream', async () => {
    const flipped = Buffer.from(archive);
    flipped[100_000]! ^= 4;
    expect(await refusal(flipped)).toMatch(/^DatasetCorrupt ARCHIVE: .* byte \d+/);
  });

  it('with a wrong checksum behind the last file', async () => {
    const flipped = Buffer.from(archive);
    flipped[archive.length - 6]! ^= 1;
    expect(await refusal(flipped)).toMatch(
      /^DatasetCorrupt ARCHIVE: cannot be read at compressed byte \d+: incorrect data check/,
    );
  });

  it('uncompressed and cut within a file', async () => {
    expect(await refusal(tar(cifar10Files()).subarray(0, 70_000))).toBe(
      'DatasetCorrupt ARCHIVE: truncated: ends at byte 70000. Fetch the archive again.',
    );
  });

  it('with a damaged header', async () => {
    const damaged = tar(cifar10Files());
    damaged[31_744 + 3]! ^= 1;
    expect(await refusal(damaged)).toBe(
      'DatasetCorrupt ARCHIVE: not a tar archive, or damaged: wrong header checksum at byte 31744. Fetch the archive again.',
    );
  });

  it('something else altogether', async () => {
    expect(await refusal(Buffer.from('<html>404</html>'.repeat(100)))).toMatch(
      /^DatasetCorrupt ARCHIVE: not a tar archive, or damaged: wrong header checksum at byte 0/,
    );
    expect(await refusal(Buffer.alloc(0))).toMatch(/^DatasetCorrupt ARCHIVE: truncated: ends at byte 0/);
  });
});
