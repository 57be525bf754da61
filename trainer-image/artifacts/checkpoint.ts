import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelName } from '@destillml/core/api/models.ts';
import { modelNames } from '@destillml/core/api/models.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { z } from 'zod';
import type { Program } from '../nn/program.ts';
import type { NamedVariable } from '../nn/variables.ts';
import { readTensors, type StoredTensor, type TensorFile, writeTensors } from '../storage/safetensors.ts';
import type { Variable } from '../tensorflow/tf.ts';
import { artifactFiles } from './files.ts';

/** Which network a checkpoint holds. */
export const networkDescription = z.strictObject({
  model: z.enum(modelNames),
  classes: z.int().min(2),
  imageSize: z.int().min(1),
  seed: z.int(),
});

/** Where training stood; everything else follows from the assignment. */
export const trainingState = z.strictObject({
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
  best: z.strictObject({ epoch: z.int().min(1), validationAccuracy: z.number() }).optional(),
  /** Over all attempts. */
  trainingSeconds: z.number(),
  stepSeconds: z.number(),
  images: z.number(),
});

export type NetworkDescription = z.output<typeof networkDescription>;
export type TrainingState = z.output<typeof trainingState>;

export interface NamedTensors {
  readonly name: string;
  readonly variable: Variable;
}

/** Saves variables under their names, with a description and, for checkpoints that training goes on from, the state. */
export function saveCheckpoint(
  path: string,
  program: Program,
  variables: readonly NamedTensors[],
  network: NetworkDescription,
  state?: TrainingState,
): void {
  const values = program.read(variables.map(({ variable }) => variable));
  const tensors = new Map<string, StoredTensor>();
  variables.forEach(({ name, variable }, index) => {
    tensors.set(name, { name, shape: variable.shape, values: values[index] ?? new Float32Array() });
  });
  const metadata = {
    format: 'destillml/1',
    network: JSON.stringify(network),
    ...(state !== undefined && { state: JSON.stringify(state) }),
  };
  writeTensors(path, { tensors, metadata });
}

/** Restores variables by name; the state that was saved with them, if any. */
export function loadCheckpoint(
  path: string,
  program: Program,
  variables: readonly NamedTensors[],
  network: NetworkDescription,
): TrainingState | undefined {
  const file = readTensors(path);
  const found = describe(path, file);
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
    variables.map(({ name, variable }) => valuesOf(path, file, name, variable.shape)),
  );
  const state = file.metadata.state;
  return state === undefined ? undefined : trainingState.parse(JSON.parse(state));
}

/**
 * Which network the best checkpoint in a Run's folder holds.
 *
 * @throws DestillError `TeacherMissing` if there is none.
 */
export function describeTeacher(artifacts: string): { path: string; network: NetworkDescription } {
  const path = join(artifacts, artifactFiles.best);
  if (!existsSync(path)) {
    throw new DestillError('TeacherMissing', `${path} does not exist: its network has to be trained first.`);
  }
  return { path, network: describe(path, readTensors(path)) };
}

/** A network's variables under the names they have in its files. */
export function networkTensors(variables: readonly NamedVariable[]): NamedTensors[] {
  return variables.map(({ name, variable }) => ({ name, variable }));
}

function describe(path: string, file: TensorFile): NetworkDescription & { model: ModelName } {
  try {
    return networkDescription.parse(JSON.parse(file.metadata.network ?? ''));
  } catch (cause) {
    throw new DestillError('CheckpointUnusable', `${path} does not say which network it holds.`, { cause });
  }
}

function valuesOf(path: string, file: TensorFile, name: string, shape: readonly number[]): Float32Array {
  const stored = file.tensors.get(name);
  if (stored === undefined) throw new DestillError('CheckpointUnusable', `${path} has no tensor ${name}.`);
  if (stored.shape.join() !== shape.join()) {
    throw new DestillError(
      'CheckpointUnusable',
      `${path}: ${name} has shape [${stored.shape.join(', ')}] instead of [${shape.join(', ')}].`,
    );
  }
  return stored.values;
}
