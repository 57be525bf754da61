/**
 * Tung and Mori, "Similarity-Preserving Knowledge Distillation", ICCV 2019, equations 1–4: images that look alike
 * to the teacher look alike to the student.
 */
import type { Tensor, Tensor2D, Tensor4D } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';
import { normalizeRows } from './normalize.ts';
import { meanSquaredError } from './squared-error.ts';

/**
 * ‖G_t − G_s‖²_F / b², a scalar of 0–4/b; only the batch must be the same on both sides.
 *
 * @param student features `[b, h, w, c]` of the last stage.
 * @param teacher features `[b, h′, w′, c′]` of the last stage; no gradient reaches them.
 */
export function similarityPreserving(student: Tensor4D, teacher: Tensor4D): Tensor {
  return meanSquaredError(similarities(student), similarities(teacher));
}

/** G `[b, b]`: rows of F·Fᵀ divided by their L2 norms, F `[b, h·w·c]` the flattened features. */
function similarities(features: Tensor4D): Tensor2D {
  const [b, h, w, c] = features.shape;
  const flat: Tensor2D = tf.reshape(features, [b, h * w * c]);
  return normalizeRows(tf.matMul(flat, flat, false, true));
}
