/**
 * Tensors in one file, in the safetensors format: 8 bytes length of the header, the header as JSON, the data.
 *
 * Python reads it with `safetensors.numpy.load_file`. Filters are `[k, k, in, out]`, TensorFlow's order.
 *
 * The metadata hold the SHA-256 of the file as it is with 64 zeros in the place of that digest.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeAtomic } from './atomic.ts';
import { DamagedFile } from './damaged-file.ts';

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

/** A file that was read. */
export interface ReadTensorFile extends TensorFile {
  /** Whether its digest was there, and right; older files have none. */
  readonly isChecked: boolean;
}

const headerLength = 8;
const digestKey = 'sha256';
/** What stands in the place of the digest while it is computed. */
const noDigest = '0'.repeat(64);
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
  const entries: Record<string, unknown> = { __metadata__: { ...metadata, [digestKey]: noDigest } };
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
  const hash = createHash('sha256');
  for (const chunk of [length, text, ...data]) hash.update(chunk);
  text.write(hash.digest('hex'), placeOf(noDigest, text));
  writeAtomic(path, [length, text, ...data]);
}

/** @throws DamagedFile if the file is not as it was written. */
export function readTensors(path: string): ReadTensorFile {
  const bytes = readFileSync(path);
  const damaged = (what: string, offset: number, cause?: unknown) =>
    new DamagedFile(path, `${what} at byte ${offset}`, { cause });
  if (bytes.byteLength < headerLength) throw damaged('the header is missing', bytes.byteLength);
  const start = headerLength + Number(bytes.readBigUInt64LE(0));
  if (start > bytes.byteLength) throw damaged('the file ends inside its header', bytes.byteLength);
  const { __metadata__: metadata = {}, ...entries } = parseHeader();
  const digest = (metadata as Record<string, string>)[digestKey];
  if (digest !== undefined && digestOf(bytes, digest, start) !== digest) {
    throw new DamagedFile(path, 'its content is not what its SHA-256 says');
  }

  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(entries)) {
    const { shape, data_offsets } = entry as { shape: number[]; data_offsets: [number, number] };
    if (!Array.isArray(data_offsets)) throw damaged(`${name} is not described as a tensor`, headerLength);
    const [from, to] = data_offsets;
    if (start + to > bytes.byteLength) throw damaged(`the values of ${name} are cut off`, bytes.byteLength);
    const count = shape.reduce((product, size) => product * size, 1);
    if (to - from !== count * Float32Array.BYTES_PER_ELEMENT) {
      const what = `${name} has ${to - from} bytes, not those of its shape [${shape.join(', ')}],`;
      throw damaged(what, start + from);
    }
    // A copy, because Float32Array needs aligned memory.
    const values = new Float32Array(
      bytes.buffer.slice(bytes.byteOffset + start + from, bytes.byteOffset + start + to),
    );
    tensors.set(name, { name, shape, values });
  }
  return { tensors, metadata: metadata as Record<string, string>, isChecked: digest !== undefined };

  function parseHeader(): z.output<typeof header> {
    try {
      return header.parse(JSON.parse(bytes.toString('utf8', headerLength, start)));
    } catch (cause) {
      throw damaged('the header is not what safetensors files have', headerLength, cause);
    }
  }
}

/** Of the file with zeros where `digest` stands in its header; undefined where it stands nowhere. */
function digestOf(bytes: Buffer, digest: string, start: number): string | undefined {
  const from = placeOf(digest, bytes.subarray(0, start));
  if (from < 0 || digest.length !== noDigest.length) return undefined;
  const hash = createHash('sha256').update(bytes.subarray(0, from)).update(noDigest);
  return hash.update(bytes.subarray(from + noDigest.length)).digest('hex');
}

/** Where a digest stands in a header; negative where it does not. */
function placeOf(digest: string, text: Buffer): number {
  const key = `"${digestKey}":"`;
  const place = text.indexOf(`${key}${digest}"`);
  return place < 0 ? place : place + key.length;
}
