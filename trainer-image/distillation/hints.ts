/**
 * Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015, equation 3: a middle stage of the student, seen
 * through a regressor, predicts a middle stage of its teacher. The regressor is RepDistiller's `ConvReg`.
 */
import { batchNorm, convolution, type Layer, relu, sequence } from '../nn/layers.ts';
import type { Variables } from '../nn/variables.ts';
import type { Tensor, Tensor4D } from '../tensorflow/tf.ts';
import { averagePoolTo } from './average-pool.ts';
import { meanSquaredError } from './squared-error.ts';
import type { StageShape } from './stages.ts';

/** @param training true: the regressor's batch normalisation uses and learns batch statistics. */
export type Hint = (student: Tensor4D, teacher: Tensor4D, training: boolean) => Tensor;

/**
 * mean((r(F_s) − F_t)²), a scalar ≥ 0, with a regressor r: convolution, batch normalisation, ReLU.
 *
 * - The student's map twice as large: r has a 3 × 3 convolution of stride 2.
 * - Else a 1 × 1 convolution, after the larger of the two maps is average-pooled to the smaller one; where
 *   RepDistiller enlarges a student's smaller map by a transposed convolution, the teacher's is pooled here.
 *
 * No gradient reaches the teacher.
 *
 * @param variables is given the regressor's variables, `hints.regressor.…`, to be trained along with the student.
 */
export function createHint(student: StageShape, teacher: StageShape, variables: Variables): Hint {
  const halves = student.height === 2 * teacher.height && student.width === 2 * teacher.width;
  const regressor = createRegressor(variables, student.channels, teacher.channels, halves);
  if (halves) return (f, target, training) => meanSquaredError(regressor(f, training), target);

  const height = Math.min(student.height, teacher.height);
  const width = Math.min(student.width, teacher.width);
  return (f, target, training) =>
    meanSquaredError(
      regressor(averagePoolTo(f, height, width), training),
      averagePoolTo(target, height, width),
    );
}

function createRegressor(variables: Variables, inputs: number, outputs: number, halves: boolean): Layer {
  return sequence(
    convolution(
      variables,
      'hints.regressor.conv',
      inputs,
      outputs,
      halves ? { kernel: 3, stride: 2 } : { kernel: 1 },
    ),
    batchNorm(variables, 'hints.regressor.bn', outputs),
    relu,
  );
}
