/**
 * Grad-CAM: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV
 * 2017, equations 1 and 2. Scaling and enlargement are those of the package pytorch-grad-cam.
 */
import type { StageShapes } from '../distillation/stages.ts';
import type { Network } from '../models/network.ts';
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';

/**
 * Fewest cells on a side of a map that still shows where something is. Not 8: of images of 224 px the last stage, the
 * one that tells classes apart best, has 7 × 7, and the one before would be taken.
 */
const fewestCells = 7;

/**
 * The stage that is looked at unless another is asked for, counted from 1: the last whose maps have at least 7 × 7
 * cells (8 × 8 for images of 32 px, 7 × 7 for images of 224 px), else the first.
 */
export function defaultStage(shapes: StageShapes): number {
  const last = shapes.findLastIndex(({ height, width }) => Math.min(height, width) >= fewestCells);
  return Math.max(0, last) + 1;
}

/**
 * Maps `[b, size, size]` of values 0 – 1: where channels of the stage speak for the class.
 *
 * @param images `[b, size, size, 3]`, normalised.
 * @param targets `[b, classes]`, 1 at the class to explain and else 0.
 * @param stage counted from 1.
 */
export function gradCam(network: Network, images: Tensor4D, targets: Tensor2D, stage: number): Tensor3D {
  const { activations, gradients } = stageGradients(network, images, targets, stage);
  const [, size] = images.shape;
  const weights = tf.mean(gradients, [1, 2], true);
  const map = tf.relu(tf.sum(tf.mul(weights, activations), 3, true)) as Tensor4D;
  const enlarged = tf.image.resizeBilinear(scaled(map), [size, size], false, true);
  return tf.squeeze(scaled(enlarged), [3]);
}

/** A stage's output and the gradient of the chosen logits with respect to it, `[b, h, w, c]` each. */
function stageGradients(network: Network, images: Tensor4D, targets: Tensor2D, stage: number) {
  // The tape holds every intermediate tensor, and is asked for a gradient after the function has run: the stage's
  // output, which does not exist before, takes the place of the images by then.
  const sources: Tensor[] = [images];
  const { grads } = tf.engine().gradients(() => {
    const { logits, stages } = network.forward(images, false);
    const chosen = stages[stage - 1];
    if (chosen === undefined) throw new RangeError(`the network has no stage ${stage} of ${stages.length}`);
    sources[0] = tf.keep(chosen);
    return tf.sum(tf.mul(logits, targets));
  }, sources);
  const activations = tf.clone(sources[0] ?? images) as Tensor4D;
  sources[0]?.dispose();
  return { activations, gradients: grads[0] as Tensor4D };
}

/** Each map brought to 0 – 1; one of zeros stays so. */
function scaled(maps: Tensor4D): Tensor4D {
  const lifted = tf.sub(maps, tf.min(maps, [1, 2, 3], true));
  return tf.div(lifted, tf.add(tf.max(lifted, [1, 2, 3], true), 1e-7));
}
