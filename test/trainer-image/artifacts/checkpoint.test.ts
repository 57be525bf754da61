import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  readCheckpoint,
  restore,
  type TrainingState,
  writeCheckpoint,
  writeLastCheckpoint,
} from '@destillml/trainer/artifacts/checkpoint.ts';
import { artifactFiles } from '@destillml/trainer/artifacts/files.ts';
import type { Program } from '@destillml/trainer/nn/program.ts';
import { DamagedFile } from '@destillml/trainer/storage/damaged-file.ts';
import { readTensors, writeTensors } from '@destillml/trainer/storage/safetensors.ts';
import type { Variable } from '@destillml/trainer/tensorflow/tf.ts';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../training/run.ts';

const network = { model: 'resnet8', classes: 10, imageSize: 16, seed: 3 } as const;
const state: TrainingState = {
  epoch: 2,
  step: 1,
  sums: { images: 1, loss: 1, crossEntropy: 1, distillation: 0, correct: 1, seconds: 1 },
  best: { epoch: 2, validationAccuracy: 0.5 },
  trainingSeconds: 3,
  stepSeconds: 2,
  threads: [2],
  images: 100,
};
const tensors = [
  { name: 'conv.weight', shape: [40, 5], values: Float32Array.from({ length: 200 }, (_, i) => i / 7) },
  { name: 'conv.bias', shape: [], values: Float32Array.of(-1) },
];

let folder: string;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'x.safetensors');
  writeCheckpoint(path, tensors, { network, state });
});

test('what was written is read back', () => {
  const { tensors: found, ...said } = readCheckpoint(path);
  expect(said).toEqual({ path, network, state, best: undefined, data: undefined, isChecked: true });
  expect([...found.values()]).toEqual(tensors);
});

describe('a damaged file is never read', () => {
  test('whatever bit is flipped', () => {
    const whole = readFileSync(path);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(7), (place, bit) => {
        const bytes = Buffer.from(whole);
        bytes[place]! ^= 1 << bit;
        writeFileSync(path, bytes);
        expect(() => readCheckpoint(path)).toThrow(DamagedFile);
      }),
      { numRuns: 2000, examples: [...whole.keys()].map((place) => [place, place % 8] as [number, number]) },
    );
  });

  test('wherever it ends', () => {
    for (let size = readFileSync(path).length - 1; size >= 0; size--) {
      truncateSync(path, size);
      expect(() => readCheckpoint(path), `${size} bytes`).toThrow(DamagedFile);
    }
  });

  test('whatever stands in its place', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        writeFileSync(path, bytes);
        expect(() => readCheckpoint(path)).toThrow(DamagedFile);
      }),
    );
  });

  test('whatever follows it', () => {
    writeFileSync(path, '\0', { flag: 'a' });
    expect(() => readCheckpoint(path)).toThrow(
      `${path} is damaged: its content is not what its SHA-256 says.`,
    );
  });
});

test('one that says nothing of a digest is of an older version, or refused', () => {
  const { metadata, tensors: found } = readTensors(path);
  const older = (changes: Record<string, string>) => {
    writeTensors(path, { tensors: found, metadata: { ...metadata, ...changes } });
    const bytes = readFileSync(path);
    // Its name is as long: the digest is one no longer.
    writeFileSync(path, Buffer.from(bytes.toString('latin1').replace('"sha256"', '"sha-25"'), 'latin1'));
  };
  older({ format: 'destillml/1' });
  expect(readCheckpoint(path)).toMatchObject({ network, state, isChecked: false });
  older({ format: 'destillml/2' });
  expect(() => readCheckpoint(path)).toThrow('its format is "destillml/2", which DestillML does not write');
  older({ format: 'destillml/1', state: '{"epoch":-1}' });
  expect(() => readCheckpoint(path)).toThrow(`${path} is damaged: what it says of its state cannot be read.`);
});

test('a value that is no number is the fault of the file, and nothing of it is used', () => {
  const values = Float32Array.of(1, Number.NaN);
  writeCheckpoint(path, [{ name: 'bias', shape: [2], values }], { network });
  const written: unknown[] = [];
  const program = { write: (...given: unknown[]) => written.push(given) } as unknown as Program;
  const variable = { shape: [2] } as Variable;
  expect(() => restore(readCheckpoint(path), program, [{ name: 'bias', variable }], network)).toThrow(
    new DamagedFile(path, 'bias holds a value that is NaN'),
  );
  expect(written).toEqual([]);
});

test('the last checkpoint and the one before are kept', () => {
  const stepsIn = (name: 'last' | 'previous') =>
    readCheckpoint(join(folder, artifactFiles[name])).state?.step;
  for (const step of [1, 2, 3]) writeLastCheckpoint(folder, tensors, { network, state: { ...state, step } });
  expect([stepsIn('previous'), stepsIn('last')]).toEqual([2, 3]);
  expect(existsSync(join(folder, `${artifactFiles.last}.next`))).toBe(false);
});
