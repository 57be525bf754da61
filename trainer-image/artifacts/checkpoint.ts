import { existsSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { modelNames } from '@destillml/core/api/models.ts';
import { type SweptValues, sweptValues } from '@destillml/core/api/sweepable.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { z } from 'zod';
import { notFinite } from '../nn/finite.ts';
import type { Program } from '../nn/program.ts';
import type { NamedVariable } from '../nn/variables.ts';
import { flushFolder } from '../storage/atomic.ts';
import { DamagedFile } from '../storage/damaged-file.ts';
import { writingSync } from '../storage/disk.ts';
import { readTensors, type StoredTensor, type TensorFile, writeTensors } from '../storage/safetensors.ts';
import type { Variable } from '../tensorflow/tf.ts';
import { artifactFiles } from './files.ts';

/** Which network a checkpoint holds. */
const networkDescription = z.strictObject({
  model: z.enum(modelNames),
  classes: z.int().min(2),
  imageSize: z.int().min(1),
  seed: z.int(),
});

/** The epoch with the best validation accuracy, and what that was. */
const bestEpoch = z.strictObject({ epoch: z.int().min(1), validationAccuracy: z.number() });

/** Where training stood; everything else follows from the assignment. */
const trainingState = z.strictObject({
  /** Epochs completed. */
  epoch: z.int().min(0),
  /** Steps completed of the epoch after those. */
  step: z.int().min(0),
  /** Sums over the images of the current epoch. */
  sums: z.strictObject({
    images: z.number(),
    loss: z.number(),
    crossEntropy: z.number(),
    distillation: z.number(),
    correct: z.number(),
    seconds: z.number(),
  }),
  best: bestEpoch.optional(),
  /** Numbers of threads of TensorFlow that it was trained with, one after the other. Older versions do not say. */
  threads: z.array(z.int().min(1)).default([]),
  /** Over all attempts. */
  trainingSeconds: z.number(),
  stepSeconds: z.number(),
  images: z.number(),
});

/** What a Run is trained on: the name of the data set, and SHA-256. */
const dataFingerprint = z.strictObject({
  name: z.string(),
  images: z.string(),
  labels: z.string(),
  /** Which images are for training and which for validation. */
  split: z.string(),
});

export type NetworkDescription = z.output<typeof networkDescription>;
export type TrainingState = z.output<typeof trainingState>;
export type DataFingerprint = z.output<typeof dataFingerprint>;
export type BestEpoch = z.output<typeof bestEpoch>;

/** What a checkpoint says beside its tensors. */
export interface CheckpointDescription {
  readonly network: NetworkDescription;
  /** Of one that training goes on from. */
  readonly state?: TrainingState | undefined;
  readonly data?: DataFingerprint | undefined;
  /** Of a Run of a search: what it tries. */
  readonly values?: SweptValues | undefined;
  /** Of one that holds the best network so far. */
  readonly best?: BestEpoch | undefined;
}

/** A checkpoint that was read. */
export interface Checkpoint extends CheckpointDescription {
  readonly path: string;
  readonly tensors: TensorFile['tensors'];
  /** Whether its content is what its digest says; one of an older version has no digest. */
  readonly isChecked: boolean;
}

export interface NamedTensors {
  readonly name: string;
  readonly variable: Variable;
}

/** Has a digest. */
const format = 'destillml/2';
/** Has none. */
const olderFormat = 'destillml/1';

/** The values of variables as they are now, under their names. */
export function storedTensors(program: Program, variables: readonly NamedTensors[]): readonly StoredTensor[] {
  const values = program.read(variables.map(({ variable }) => variable));
  return variables.map(({ name, variable }, index) => ({
    name,
    shape: variable.shape,
    values: values[index] ?? new Float32Array(),
  }));
}

export function writeCheckpoint(
  path: string,
  tensors: readonly StoredTensor[],
  { network, state, data, values, best }: CheckpointDescription,
): void {
  const metadata = {
    format,
    network: JSON.stringify(network),
    ...(state !== undefined && { state: JSON.stringify(state) }),
    ...(data !== undefined && { data: JSON.stringify(data) }),
    ...(values !== undefined && { values: JSON.stringify(values) }),
    ...(best !== undefined && { best: JSON.stringify(best) }),
  };
  writeTensors(path, { tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])), metadata });
}

/** Writes the last checkpoint of a folder, and keeps the one before: at any instant one of them is whole. */
export function writeLastCheckpoint(
  folder: string,
  tensors: readonly StoredTensor[],
  description: CheckpointDescription,
): void {
  const path = (name: 'last' | 'previous') => join(folder, artifactFiles[name]);
  const next = `${path('last')}.next`;
  writeCheckpoint(next, tensors, description);
  writingSync(path('last'), () => {
    if (existsSync(path('last'))) renameSync(path('last'), path('previous'));
    renameSync(next, path('last'));
    flushFolder(dirname(next));
  });
}

/** @throws DamagedFile where the file is not as it was written. */
export function readCheckpoint(path: string): Checkpoint {
  const { tensors, metadata, isChecked } = readTensors(path);
  if (metadata.format !== (isChecked ? format : olderFormat)) {
    throw new DamagedFile(path, `its format is "${metadata.format}", which DestillML does not write`);
  }
  const parsed = <T extends z.ZodType>(key: string, schema: T): z.output<T> | undefined => {
    const text = metadata[key];
    if (text === undefined) return undefined;
    try {
      return schema.parse(JSON.parse(text));
    } catch (cause) {
      throw new DamagedFile(path, `what it says of its ${key} cannot be read`, { cause });
    }
  };
  const network = parsed('network', networkDescription);
  if (network === undefined) throw new DamagedFile(path, 'it does not say which network it holds');
  return {
    path,
    network,
    state: parsed('state', trainingState),
    data: parsed('data', dataFingerprint),
    values: parsed('values', sweptValues),
    best: parsed('best', bestEpoch),
    tensors,
    isChecked,
  };
}

/**
 * Gives variables the values that a checkpoint has under their names.
 *
 * @throws DestillError `CheckpointUnusable` if it holds another network; DamagedFile where a value is no number.
 */
export function restore(
  { path, network: found, tensors }: Checkpoint,
  program: Program,
  variables: readonly NamedTensors[],
  network: NetworkDescription,
): void {
  for (const key of ['model', 'classes', 'imageSize'] as const) {
    if (found[key] !== network[key]) {
      throw new DestillError(
        'CheckpointUnusable',
        `${path} holds ${found.model} for ${found.classes} classes at ${found.imageSize} px; ` +
          `${network.model} for ${network.classes} classes at ${network.imageSize} px is asked for. ` +
          'Use another folder, or delete this one.',
      );
    }
  }
  program.write(
    variables.map(({ variable }) => variable),
    variables.map(({ name, variable }) => valuesOf(path, tensors, name, variable.shape)),
  );
}

/** A network's variables under the names they have in its files. */
export function networkTensors(variables: readonly NamedVariable[]): NamedTensors[] {
  return variables.map(({ name, variable }) => ({ name, variable }));
}

function valuesOf(
  path: string,
  tensors: TensorFile['tensors'],
  name: string,
  shape: readonly number[],
): Float32Array {
  const stored = tensors.get(name);
  if (stored === undefined) throw new DestillError('CheckpointUnusable', `${path} has no tensor ${name}.`);
  if (stored.shape.join() !== shape.join()) {
    throw new DestillError(
      'CheckpointUnusable',
      `${path}: ${name} has shape [${stored.shape.join(', ')}] instead of [${shape.join(', ')}].`,
    );
  }
  const wrong = notFinite(stored.values);
  if (wrong !== undefined) throw new DamagedFile(path, `${name} holds a value that is ${wrong}`);
  return stored.values;
}
