import { mkdtempSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  expect(readTensors(path)).toEqual(file);
});

test('the file has the layout of the safetensors format', () => {
  writeTensors(path, file);
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  expect((8 + length) % 8).toBe(0);
  expect(JSON.parse(bytes.toString('utf8', 8, 8 + length))).toEqual({
    __metadata__: file.metadata,
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

describe('a file that is not whole is refused with its name and the offset', () => {
  test.each([
    ['in its length', 3, 'the header is missing at byte 3'],
    ['in its header', 40, 'the file ends inside its header at byte 40'],
    ['in its values', -4, 'the values of bias are cut off'],
  ])('%s', (_, size, message) => {
    writeTensors(path, file);
    const whole = readFileSync(path).length;
    truncateSync(path, size > 0 ? size : whole + size);
    expect(() => readTensors(path)).toThrowError(
      expect.objectContaining({ code: 'CheckpointUnusable', message: expect.stringContaining(message) }),
    );
    expect(() => readTensors(path)).toThrowError(path);
  });

  test('no safetensors file at all', () => {
    writeFileSync(path, Buffer.concat([Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('true    ')]));
    expect(() => readTensors(path)).toThrowError('the header is not what safetensors files have at byte 8');
  });
});
