import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DamagedFile } from '@destillml/trainer/storage/damaged-file.ts';
import { readTensors, writeTensors } from '@destillml/trainer/storage/safetensors.ts';
import { beforeEach, describe, expect, test } from 'vitest';

const file = {
  tensors: new Map([
    ['conv.weight', { name: 'conv.weight', shape: [2, 3], values: Float32Array.of(1, -2, 3.5, 0, 1e-30, 6) }],
    ['bias', { name: 'bias', shape: [], values: Float32Array.of(7) }],
  ]),
  metadata: { network: '{"model":"resnet20"}' },
};

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'safetensors-')), 'x.safetensors');
});

test('what was written is read back, bit for bit', () => {
  writeTensors(path, file);
  const sha256 = expect.stringMatching(/^[0-9a-f]{64}$/);
  expect(readTensors(path)).toEqual({ ...file, metadata: { ...file.metadata, sha256 }, isChecked: true });
});

test('its digest is that of the file with zeros in its place', () => {
  writeTensors(path, file);
  const { sha256 = '' } = readTensors(path).metadata;
  const text = readFileSync(path, 'latin1');
  expect(text.split(sha256)).toHaveLength(2);
  const zeroed = Buffer.from(text.replace(sha256, '0'.repeat(64)), 'latin1');
  expect(createHash('sha256').update(zeroed).digest('hex')).toBe(sha256);
});

test('a file of an older version, or of another program, is read without a digest', () => {
  writeFileSync(path, withoutDigest());
  expect(readTensors(path)).toEqual({ ...file, isChecked: false });
});

test('a byte that is changed anywhere is found', () => {
  writeTensors(path, file);
  const bytes = readFileSync(path);
  for (let place = 0; place < bytes.length; place++) {
    for (const bit of [0, 3, 7]) {
      const changed = Buffer.from(bytes);
      changed[place]! ^= 1 << bit;
      writeFileSync(path, changed);
      // A key of another name is no digest: whoever knows that there has to be one is told that it is not.
      const outcome = attempt(() => readTensors(path).isChecked);
      expect(outcome, `bit ${bit} of byte ${place}`).not.toBe(true);
      expect(outcome === false || outcome instanceof DamagedFile).toBe(true);
    }
  }
});

test('the file has the layout of the safetensors format', () => {
  writeTensors(path, file);
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  expect((8 + length) % 8).toBe(0);
  expect(JSON.parse(bytes.toString('utf8', 8, 8 + length))).toEqual({
    __metadata__: { ...file.metadata, sha256: expect.any(String) },
    'conv.weight': { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
    bias: { dtype: 'F32', shape: [], data_offsets: [24, 28] },
  });
  expect(bytes.length).toBe(8 + length + 28);
});

test('nothing but the file itself is left in its folder', () => {
  writeTensors(path, file);
  writeTensors(path, file);
  expect(readdirSync(join(path, '..'))).toEqual(['x.safetensors']);
});

/** The file as it was written before there were digests. */
function withoutDigest(): Buffer {
  const whole = join(mkdtempSync(join(tmpdir(), 'safetensors-')), 'whole.safetensors');
  writeTensors(whole, file);
  const bytes = readFileSync(whole);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const { __metadata__: _, ...tensors } = JSON.parse(bytes.toString('utf8', 8, start));
  const header = Buffer.from(JSON.stringify({ __metadata__: file.metadata, ...tensors }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, bytes.subarray(start)]);
}

function attempt<T>(action: () => T): T | unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

describe('a file without a digest that is not whole is refused with its name and the offset', () => {
  test.each([
    ['in its length', 3, 'the header is missing at byte 3'],
    ['in its header', 40, 'the file ends inside its header at byte 40'],
    ['in its values', -4, 'the values of bias are cut off'],
  ])('%s', (_, size, message) => {
    writeFileSync(path, withoutDigest());
    const whole = readFileSync(path).length;
    truncateSync(path, size > 0 ? size : whole + size);
    expect(() => readTensors(path)).toThrowError(
      expect.objectContaining({ code: 'CheckpointUnusable', message: expect.stringContaining(message) }),
    );
    expect(() => readTensors(path)).toThrowError(path);
  });

  test.each([
    ['[2,3]', '[2,2]', 'conv.weight has 24 bytes, not those of its shape [2, 2], at byte'],
    ['[0,24]', '[0,23]', 'conv.weight has 23 bytes'],
    ['[24,28]', '[28,24]', 'bias has -4 bytes'],
    ['"data_offsets":[0,24]', '"data_offsets":0', 'the header is not what safetensors files have'],
  ])('that says %s as %s', (from, to, message) => {
    const text = withoutDigest().toString('latin1');
    expect(text).toContain(from);
    const bytes = Buffer.from(text.replace(from, to), 'latin1');
    bytes.writeBigUInt64LE(bytes.readBigUInt64LE(0) + BigInt(to.length - from.length));
    writeFileSync(path, bytes);
    expect(() => readTensors(path)).toThrowError(
      expect.objectContaining({ code: 'CheckpointUnusable', message: expect.stringContaining(message) }),
    );
  });

  test('no safetensors file at all', () => {
    writeFileSync(path, Buffer.concat([Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('true    ')]));
    expect(() => readTensors(path)).toThrowError('the header is not what safetensors files have at byte 8');
  });
});
