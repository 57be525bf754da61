import type { Network } from '../models/network.ts';
import { buildNetwork } from '../models/registry.ts';
import { kaiming } from '../nn/initial.ts';
import { eagerProgram } from '../nn/program.ts';
import { Variables } from '../nn/variables.ts';
import { describeTeacher, loadCheckpoint, type NetworkDescription, networkTensors } from './checkpoint.ts';

/** A network that a Run trained; it takes no memory until it is opened. */
export interface TrainedNetwork extends NetworkDescription {
  /**
   * Builds it with its weights; who calls disposes of its variables.
   *
   * @throws DestillError `CheckpointUnusable` if they cannot be read, or are not those of what was expected.
   */
  open(): Network;
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
  const { path, network: found } = describeTeacher(artifacts);
  const description = { ...found, ...expected };
  return {
    ...description,
    open() {
      const variables = new Variables(kaiming(description.seed));
      try {
        const network = buildNetwork(description.model, { ...description, variables });
        loadCheckpoint(path, eagerProgram({}), networkTensors(variables.all), description);
        return network;
      } catch (error) {
        variables.dispose();
        throw error;
      }
    },
  };
}
