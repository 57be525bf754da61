/**
 * Loads TensorFlow, once, with the settings every process of the trainer shares.
 *
 * `scripts/setup.sh` (on a machine) or the Dockerfile (in an image) put libtensorflow and the binding in place.
 */
import { createRequire } from 'node:module';
import util from 'node:util';
import type * as TensorFlow from '@tensorflow/tfjs-node-gpu';
import { unloadable } from './unloadable.ts';

// TensorFlow leaves oneDNN off on some processors unless told; convolutions run about twice as fast with it.
process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
// Gone from Node 23, still called by tfjs-node 4.22.
Object.assign(util, { isNullOrUndefined: (value: unknown) => value === undefined || value === null });

function load(): typeof TensorFlow {
  try {
    return createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu') as typeof TensorFlow;
  } catch (cause) {
    throw unloadable(cause);
  }
}

export const tf = load();
export type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D, Variable } from '@tensorflow/tfjs-node-gpu';
