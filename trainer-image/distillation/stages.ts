import type { Network } from '../models/network.ts';
import { scoped } from '../nn/scoped.ts';
import { type Tensor4D, tf } from '../tensorflow/tf.ts';

/** Shape of a stage's output, without the batch. */
export interface StageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Shapes of a network's stages, from the first to the last. */
export type StageShapes = readonly StageShape[];

/** @param stages outputs `[b, h, w, c]`. */
export function stageShapes(stages: readonly Tensor4D[]): StageShapes {
  return stages.map(({ shape: [, height, width, channels] }) => ({ height, width, channels }));
}

/** Shapes of a network's stages, from one inference. */
export function shapesOf(network: Network, imageSize: number): StageShapes {
  return scoped(() => stageShapes(network.forward(tf.zeros([1, imageSize, imageSize, 3]), false).stages));
}

/** Indices, from 0, of a stage of the student and the stage of the teacher that it is compared with. */
export type StagePair = readonly [student: number, teacher: number];

/**
 * Which stage of a student is compared with which of its teacher; in order, no stage twice, at least one pair.
 *
 * - As many stages on both sides: the first with the first, and so on.
 * - Else (a VGG and a ResNet): stages whose maps are equally large. Of several, the last; a stage without a
 *   counterpart is left out.
 * - No two maps are equally large: the last with the last, the one before with the one before, and so on.
 */
export function pairStages(student: StageShapes, teacher: StageShapes): readonly StagePair[] {
  if (student.length === teacher.length) return student.map((_, index) => [index, index]);
  const equal = pairEqualSizes(student, teacher);
  if (equal.length > 0) return equal;
  const pairs = Math.min(student.length, teacher.length);
  return Array.from({ length: pairs }, (_, index) => [
    student.length - pairs + index,
    teacher.length - pairs + index,
  ]);
}

function pairEqualSizes(student: StageShapes, teacher: StageShapes): readonly StagePair[] {
  const pairs: StagePair[] = [];
  let unused = teacher.length;
  for (const [index, shape] of [...student.entries()].reverse()) {
    const same = teacher
      .slice(0, unused)
      .findLastIndex(({ height, width }) => height === shape.height && width === shape.width);
    if (same < 0) continue;
    pairs.unshift([index, same]);
    unused = same;
  }
  return pairs;
}
