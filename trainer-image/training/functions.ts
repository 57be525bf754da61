import { augment, normalise } from '../data/augmentation.ts';
import { colourSize, transformSize } from '../data/augmentation-parameters.ts';
import type { Objective } from '../distillation/objective.ts';
import type { Features, Network } from '../models/network.ts';
import * as kernels from '../nn/kernels.ts';
import type { ProgramFunction } from '../nn/program.ts';
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';
import { applySgd, type SgdOptions, type Trained } from './optimizer.ts';

/** What one training step is about. */
export interface Lesson {
  readonly student: Network;
  /** The student's trained variables, and the regressor's where hints are used. */
  readonly trained: readonly Trained[];
  readonly distillation?: { readonly teacher: Network; readonly objective: Objective };
  readonly classes: number;
  readonly imageSize: number;
  readonly labelSmoothing: number;
  readonly sgd: SgdOptions;
  /** Without it images are only normalised, and the step takes no transforms. */
  readonly augmented: boolean;
}

/**
 * One step: augment, forward, objective, gradients, update.
 *
 * Outputs are scalars: `loss` (the objective), `crossEntropy`, `distillation` (sum of the weighted terms),
 * `correct` (images of the batch whose largest logit is their label's).
 */
export function trainingFunction(lesson: Lesson, batch: number): ProgramFunction {
  const { student, trained, distillation, classes, imageSize, labelSmoothing, sgd, augmented } = lesson;
  return {
    inputs: {
      ...imageInputs(batch, imageSize),
      ...(augmented && {
        transforms: { dtype: 'float32', shape: [batch, transformSize] },
        colours: { dtype: 'float32', shape: [batch, colourSize] },
      }),
      rate: { dtype: 'float32', shape: [] },
    },
    body({ images, labels, transforms, colours, rate }) {
      let pixels = toUnit(images);
      if (transforms !== undefined && colours !== undefined) {
        pixels = augment(pixels, transforms as Tensor2D, colours as Tensor2D);
      }
      const x = normalise(pixels);
      const taught = distillation?.teacher.forward(x, false);
      const targets = smoothedTargets(labels as Tensor1D, classes, labelSmoothing);

      const { kept, keep } = keeper();
      const objective = () => {
        const features = student.forward(x, true);
        const crossEntropy = keep('crossEntropy', kernels.softmaxCrossEntropy(features.logits, targets));
        keep('correct', countCorrect(features.logits, labels as Tensor1D));
        if (distillation === undefined || taught === undefined) return crossEntropy;
        const terms = Object.values(distillation.objective.terms(features, taught, true));
        const sum = keep(
          'distillation',
          terms.reduce((total, term) => tf.add(total, term)),
        );
        return tf.add(tf.mul(crossEntropy, distillation.objective.crossEntropyWeight), sum);
      };
      const variables = trained.map(({ parameter }) => parameter.variable);
      const { value, grads } = tf.variableGrads(() => objective().asScalar(), variables);
      applySgd(trained, grads, rate as Tensor, sgd);
      return { loss: value, ...kept() };
    },
  };
}

/**
 * Inference on a batch in which a label of −1 marks an image that is only filling.
 *
 * Outputs are sums over the other images: `loss` (cross-entropy), `correct`, `correctTop5`.
 */
export function evaluationFunction(
  network: Network,
  classes: number,
  imageSize: number,
  batch: number,
): ProgramFunction {
  return {
    inputs: imageInputs(batch, imageSize),
    body({ images, labels }) {
      const { logits } = network.forward(normalise(toUnit(images)), false);
      const targets = oneHot(labels, classes);
      const top = kernels.topIndices(logits, Math.min(5, classes));
      const among = tf.any(tf.equal(top, tf.reshape(labels as Tensor1D, [batch, 1])), 1);
      return {
        // A row of zeros, as a label of −1 gives, has no loss.
        loss: tf.mul(kernels.softmaxCrossEntropy(logits, targets), batch),
        correct: countCorrect(logits, labels as Tensor1D),
        correctTop5: tf.sum(tf.cast(among, 'float32')),
      };
    },
  };
}

/** Logits and stages of a batch, as a program's outputs `logits`, `stage1`, `stage2` …, flattened. */
export function featureFunction(network: Network, imageSize: number, batch: number): ProgramFunction {
  return {
    inputs: { images: imageInputs(batch, imageSize).images },
    body({ images }) {
      const { logits, stages }: Features = network.forward(normalise(toUnit(images)), false);
      return { logits, ...Object.fromEntries(stages.map((stage, index) => [`stage${index + 1}`, stage])) };
    },
  };
}

/**
 * Target distributions `[b, classes]` of labels `[b]`: (1 − s) on the label, and s spread evenly over all classes
 * (Szegedy et al. 2016, section 7).
 *
 * @param smoothing s, 0 ≤ s < 1.
 */
export function smoothedTargets(labels: Tensor1D, classes: number, smoothing: number): Tensor2D {
  return tf.add(tf.mul(oneHot(labels, classes), 1 - smoothing), smoothing / classes);
}

function imageInputs(batch: number, size: number) {
  return {
    images: { dtype: 'uint8', shape: [batch, size, size, 3] },
    labels: { dtype: 'int32', shape: [batch] },
  } as const;
}

/** Bytes 0–255 as shares 0–1. */
function toUnit(images: Tensor | undefined): Tensor4D {
  if (images === undefined) throw new TypeError('a step needs images');
  return tf.mul(tf.cast(images, 'float32'), 1 / 255) as Tensor4D;
}

function oneHot(labels: Tensor | undefined, classes: number): Tensor2D {
  return tf.cast(tf.oneHot(labels as Tensor1D, classes), 'float32') as Tensor2D;
}

function countCorrect(logits: Tensor2D, labels: Tensor1D): Tensor {
  return tf.sum(tf.cast(tf.equal(tf.argMax(logits, 1), labels), 'float32'));
}

/** Carries tensors out of `tf.variableGrads`, which disposes of everything but the loss. */
function keeper() {
  const tensors: Record<string, Tensor> = {};
  return {
    keep<T extends Tensor>(name: string, tensor: T): T {
      tensors[name] = tf.keep(tensor.clone());
      return tensor;
    },
    /** The tensors, handed over to the scope around. */
    kept: () =>
      Object.fromEntries(
        Object.entries(tensors).map(([name, tensor]) => {
          const handed = tensor.clone();
          tensor.dispose();
          return [name, handed];
        }),
      ),
  };
}
