/** Writes small data sets in their real formats, for the tests of the readers. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { hash } from '@destillml/trainer/nn/random.ts';
import { onTestFinished } from 'vitest';

/** A folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'destill-data-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files, given by path inside the folder. */
export async function writeFiles(folder: string, files: Readonly<Record<string, Uint8Array | string>>) {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

export function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Byte `i` of made-up pixels of image `image`. */
export function pixel(image: number, i: number): number {
  return hash(image, i) & 255;
}

/** A CIFAR record: `labels`, then the three channels of 1,024 made-up pixels. */
export function cifarRecord(labels: readonly number[], image: number): Buffer {
  return Buffer.from([...labels, ...Array.from({ length: 3072 }, (_, i) => pixel(image, i))]);
}

export const cifar10Classes = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
];

/** CIFAR-10 with one image of each class in every file; image numbers go on from file to file. */
export function cifar10Files(): Record<string, Buffer> {
  const batch = (first: number) =>
    Buffer.concat(Array.from({ length: 10 }, (_, i) => cifarRecord([(i * 3) % 10], first + i)));
  const train = [1, 2, 3, 4, 5].map((i) => [`data_batch_${i}.bin`, batch((i - 1) * 10)] as const);
  return {
    ...Object.fromEntries(train),
    'test_batch.bin': batch(50),
    'batches.meta.txt': Buffer.from(`${cifar10Classes.join('\n')}\n\n`),
  };
}

/** CIFAR-100 with one test and five training images of each fine class; coarse label = fine label / 5. */
export function cifar100Files(): Record<string, Buffer> {
  const records = (count: number, first: number) =>
    Buffer.concat(
      Array.from({ length: count }, (_, i) => cifarRecord([Math.floor((i % 100) / 5), i % 100], first + i)),
    );
  return {
    'train.bin': records(500, 0),
    'test.bin': records(100, 500),
    'fine_label_names.txt': Buffer.from(`${Array.from({ length: 100 }, (_, i) => `fine${i}`).join('\n')}\n`),
    'coarse_label_names.txt': Buffer.from(
      `${Array.from({ length: 20 }, (_, i) => `coarse${i}`).join('\n')}\n`,
    ),
  };
}

/** A tar archive (ustar) of the files, in their order. */
export function tar(
  files: Readonly<Record<string, Uint8Array>>,
  types: Readonly<Record<string, string>> = {},
): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => [
    tarHeader(name, content.length, types[name] ?? '0'),
    content,
    Buffer.alloc((512 - (content.length % 512)) % 512),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** An archive of entries in which anything may be wrong, one after the other. */
export function tarOf(...entries: readonly TarFields[]): Buffer {
  const blocks = entries.flatMap((fields) => {
    const { content = Buffer.alloc(0) } = fields;
    return [header(fields), content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export interface TarFields {
  readonly name: string;
  readonly type?: string;
  readonly content?: Buffer;
  /** Of a link. */
  readonly target?: string;
  /** What the header says, where it is not that of the content. */
  readonly size?: number | string;
}

export function tarGz(files: Readonly<Record<string, Uint8Array>>): Buffer {
  return gzipSync(tar(files));
}

function tarHeader(name: string, size: number, type: string): Buffer {
  return header({ name, size, type });
}

function header({ name, type = '0', content, target = '', size = content?.length ?? 0 }: TarFields): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write(typeof size === 'string' ? size : `${size.toString(8).padStart(11, '0')}\0`, 124);
  header.fill(' ', 148, 156);
  header.write(type, 156);
  header.write(target, 157);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** An IDX file of unsigned bytes. */
export function idx(dimensions: readonly number[], content: Uint8Array): Buffer {
  const header = Buffer.from([
    0,
    0,
    8,
    dimensions.length,
    ...dimensions.flatMap((n) => [0, 0, n >> 8, n & 255]),
  ]);
  return Buffer.concat([header, content]);
}

/** MNIST's four files with `perClass` training images and one test image of each of ten classes. */
export function mnistFiles(perClass = 2): Record<string, Buffer> {
  const images = (count: number, first: number) =>
    idx(
      [count, 28, 28],
      Uint8Array.from({ length: count * 784 }, (_, i) => pixel(first + Math.floor(i / 784), i % 784)),
    );
  const labels = (count: number) =>
    idx(
      [count],
      Uint8Array.from({ length: count }, (_, i) => i % 10),
    );
  return {
    'train-images-idx3-ubyte': images(10 * perClass, 0),
    'train-labels-idx1-ubyte': labels(10 * perClass),
    't10k-images-idx3-ubyte': images(10, 1000),
    't10k-labels-idx1-ubyte': labels(10),
  };
}
