/** From where a Run goes on: its last checkpoint that is whole, and fits to the best network that was kept. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { SweptValues } from '@destillml/core/api/sweepable.ts';
import {
  type BestEpoch,
  type Checkpoint,
  readCheckpoint,
  restore,
  type TrainingState,
  writeCheckpoint,
} from '../artifacts/checkpoint.ts';
import { artifactFiles } from '../artifacts/files.ts';
import { readOrPutAside, unchecked } from '../artifacts/put-aside.ts';
import { DamagedFile } from '../storage/damaged-file.ts';
import type { Session } from './session.ts';

/**
 * Gives the session the weights of the newest checkpoint that can be used; undefined where training begins anew.
 *
 * One that is damaged is put aside, and the one before is used; what that does not hold is trained again, and comes to
 * the same weights.
 *
 * @param values that the Run tries. What is there of an earlier one of its name, which tried others, is passed over.
 * @param fits is told of a checkpoint before it is used, and throws where the Run may not go on from it.
 * @throws DestillError `CheckpointUnusable` if one is of another network, or what `fits` throws.
 */
export function resume(
  folder: string,
  { program, network, networkTensors, trainingTensors }: Session,
  values: SweptValues | undefined,
  fits: (checkpoint: Checkpoint) => void,
  note: (message: string) => void,
): TrainingState | undefined {
  let isOneThere = false;
  for (const name of [artifactFiles.last, artifactFiles.previous]) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    isOneThere = true;
    const state = readOrPutAside(
      () => {
        const checkpoint = readCheckpoint(path);
        const { state, isChecked } = checkpoint;
        if (state === undefined) throw new DamagedFile(path, 'it has no training state to go on from');
        if (!isDeepStrictEqual(checkpoint.values, values)) {
          note(`${path} is passed over: it is of an earlier Run of this name, which tried other values.`);
          return undefined;
        }
        fits(checkpoint);
        const isBest = state.step === 0 && state.epoch === state.best?.epoch;
        if (state.best !== undefined && !isBest && !isBestThere(folder, state.best, note, state.epoch)) {
          note(`${path} is passed over: the best network up to then is lost.`);
          return undefined;
        }
        restore(checkpoint, program, trainingTensors, network);
        if (!isChecked) note(unchecked(path));
        if (isBest && !isBestThere(folder, state.best, note)) {
          const names = new Set(networkTensors.map(({ name }) => name));
          const tensors = [...checkpoint.tensors.values()].filter(({ name }) => names.has(name));
          const best = join(folder, artifactFiles.best);
          writeCheckpoint(best, tensors, { network, best: state.best });
          note(`${best} is written again from ${path}.`);
        }
        return state;
      },
      path,
      note,
    );
    if (state !== undefined) return state;
  }
  if (isOneThere) note('No checkpoint is left to go on from: training begins anew.');
  return undefined;
}

/**
 * Whether the best network of a Run is there, and can be read. One that is damaged is put aside.
 *
 * @param epoch where training stands, if it is not at its end: a best network of a later epoch comes again.
 */
export function isBestThere(
  folder: string,
  best: BestEpoch | undefined,
  note: (message: string) => void,
  epoch = Number.POSITIVE_INFINITY,
): boolean {
  const path = join(folder, artifactFiles.best);
  if (!existsSync(path)) return false;
  const found = readOrPutAside(() => readCheckpoint(path), path, note);
  if (found === undefined) return false;
  // Older versions do not say of which epoch it is.
  if (found.best === undefined) return !found.isChecked;
  const { epoch: of, validationAccuracy } = found.best;
  return of > epoch || (of === best?.epoch && validationAccuracy === best.validationAccuracy);
}
