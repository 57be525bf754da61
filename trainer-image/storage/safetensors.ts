/**
 * Tensors in one file, in the safetensors format: 8 bytes length of the header, the header as JSON, the data.
 *
 * Python reads it with `safetensors.numpy.load_file`. Filters are `[k, k, in, out]`, TensorFlow's order.
 */
import { readFileSync } from 'node:fs';
import { DestillError } from '@destillml/core/errors.ts';
import { z } from 'zod';
import { writeAtomic } from './atomic.ts';

export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Free text by key. */
  readonly metadata: Readonly<Record<string, string>>;
}

const headerLength = 8;
const header = z.record(
  z.string(),
  z.union([
    z.object({
      dtype: z.literal('F32'),
      shape: z.array(z.int().min(0)),
      data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
    }),
    z.record(z.string(), z.string()),
  ]),
);

export function writeTensors(path: string, { tensors, metadata }: TensorFile): void {
  const entries: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, shape, values } of tensors.values()) {
    entries[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const json = Buffer.from(JSON.stringify(entries));
  // The format asks for data aligned to 8 bytes; spaces pad the header.
  const text = Buffer.concat([json, Buffer.alloc((8 - (json.byteLength % 8)) % 8, ' ')]);
  const length = Buffer.alloc(headerLength);
  length.writeBigUInt64LE(BigInt(text.byteLength));
  const data = [...tensors.values()].map(
    ({ values }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  );
  writeAtomic(path, [length, text, ...data]);
}

/** @throws DestillError `CheckpointUnusable` if the file is not whole. */
export function readTensors(path: string): TensorFile {
  const bytes = readFileSync(path);
  const unusable = (what: string, offset: number, cause?: unknown) =>
    new DestillError(
      'CheckpointUnusable',
      `${path}: ${what} at byte ${offset}. Delete the file to start from the one before or anew.`,
      { cause },
    );
  if (bytes.byteLength < headerLength) throw unusable('the header is missing', bytes.byteLength);
  const length = Number(bytes.readBigUInt64LE(0));
  const start = headerLength + length;
  if (start > bytes.byteLength) throw unusable('the file ends inside its header', bytes.byteLength);

  const tensors = new Map<string, StoredTensor>();
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, entry] of Object.entries(parseHeader())) {
    if (!('data_offsets' in entry) || typeof entry.data_offsets === 'string') {
      if (name === '__metadata__') metadata = entry as Record<string, string>;
      continue;
    }
    const { shape, data_offsets } = entry as { shape: number[]; data_offsets: [number, number] };
    const [from, to] = data_offsets;
    if (start + to > bytes.byteLength) throw unusable(`the values of ${name} are cut off`, bytes.byteLength);
    // A copy, because Float32Array needs aligned memory.
    const values = new Float32Array(
      bytes.buffer.slice(bytes.byteOffset + start + from, bytes.byteOffset + start + to),
    );
    if (values.length !== shape.reduce((product, size) => product * size, 1)) {
      throw unusable(
        `${name} has ${values.length} values, not those of its shape [${shape.join(', ')}],`,
        start + from,
      );
    }
    tensors.set(name, { name, shape, values });
  }
  return { tensors, metadata };

  function parseHeader(): z.output<typeof header> {
    try {
      return header.parse(JSON.parse(bytes.toString('utf8', headerLength, start)));
    } catch (cause) {
      throw unusable('the header is not what safetensors files have', headerLength, cause);
    }
  }
}
