import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DestillError } from '@destillml/core/errors.ts';
import type { Network } from '../models/network.ts';
import { buildNetwork } from '../models/registry.ts';
import { kaiming } from '../nn/initial.ts';
import { eagerProgram, type Program } from '../nn/program.ts';
import { Variables } from '../nn/variables.ts';
import { DamagedFile } from '../storage/damaged-file.ts';
import { type NetworkDescription, networkTensors, readCheckpoint, restore } from './checkpoint.ts';
import { artifactFiles } from './files.ts';

/** A network that a Run trained; it takes no memory until it is opened. */
export interface TrainedNetwork extends NetworkDescription {
  readonly path: string;
  /** Whether its content is what its digest says; one of an older version has no digest. */
  readonly isChecked: boolean;
  /**
   * Builds it with its weights; who calls disposes of its variables.
   *
   * @throws DestillError `CheckpointUnusable` if they cannot be read, or are not those of what was expected.
   */
  open(): Network;
  /** Gives its weights to a network that was built for it. */
  load(program: Program, variables: Variables): void;
}

/**
 * The best checkpoint in a Run's folder.
 *
 * @param expected what it has to fit, where that is known from elsewhere: a data set.
 * @throws DestillError `TeacherMissing` if there is none, `CheckpointUnusable` if it cannot be read.
 */
export function trainedNetwork(
  artifacts: string,
  expected: Partial<Pick<NetworkDescription, 'classes' | 'imageSize'>> = {},
): TrainedNetwork {
  const path = join(artifacts, artifactFiles.best);
  if (!existsSync(path)) {
    throw new DestillError('TeacherMissing', `${path} does not exist: its network has to be trained first.`);
  }
  const { network: found, isChecked } = advised(() => readCheckpoint(path));
  const description = { ...found, ...expected };
  const load = (program: Program, variables: Variables) =>
    advised(() => restore(readCheckpoint(path), program, networkTensors(variables.all), description));
  return {
    ...description,
    path,
    isChecked,
    load,
    open() {
      const variables = new Variables(kaiming(description.seed));
      try {
        const network = buildNetwork(description.model, { ...description, variables });
        load(eagerProgram({}), variables);
        return network;
      } catch (error) {
        variables.dispose();
        throw error;
      }
    },
  };
}

/** Says what to do about a damaged file of a Run that is not the one at work. */
function advised<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    const advice = `Put back a whole copy of the file; or delete it and the ${artifactFiles.result} of its Run, and let that Run train again.`;
    throw new DestillError('CheckpointUnusable', `${error.message} ${advice}`, { cause: error });
  }
}
