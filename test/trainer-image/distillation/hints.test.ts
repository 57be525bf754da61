import { createHint } from '@destillml/trainer/distillation/hints.ts';
import { Variables } from '@destillml/trainer/nn/variables.ts';
import { tf } from '@destillml/trainer/tensorflow/tf.ts';
import { describe, expect, it } from 'vitest';
import { featuresOf, values } from './reference.ts';

const shape = (height: number, width: number, channels: number) => ({ height, width, channels });
const createVariables = () =>
  new Variables((_, size) =>
    values(
      1,
      size.reduce((product, n) => product * n, 1),
    ),
  );

describe('createHint', () => {
  it.each([
    ['twice as large: a 3 × 3 convolution', shape(8, 8, 2), shape(4, 4, 3), [3, 3, 2, 3]],
    ['twice as large in height only: a 1 × 1 convolution', shape(8, 4, 2), shape(4, 4, 3), [1, 1, 2, 3]],
    ['equal: a 1 × 1 convolution', shape(4, 4, 2), shape(4, 4, 3), [1, 1, 2, 3]],
    ['smaller: a 1 × 1 convolution', shape(4, 4, 2), shape(8, 8, 3), [1, 1, 2, 3]],
    ['four times as large: a 1 × 1 convolution', shape(16, 16, 2), shape(4, 4, 3), [1, 1, 2, 3]],
  ])('regresses from maps that are %s', (_, student, teacher, filter) => {
    const variables = createVariables();
    const hint = createHint(student, teacher, variables);
    expect(variables.all[0]?.variable.shape).toEqual(filter);
    const value = tf.tidy(
      () =>
        hint(
          featuresOf(1, 2, [student.height, student.width, student.channels]),
          featuresOf(2, 2, [teacher.height, teacher.width, teacher.channels]),
          true,
        ).dataSync()[0]!,
    );
    expect(value).toBeGreaterThan(0);
    variables.dispose();
  });

  it('learns: descent on the regressor alone brings it nearer to the teacher', () => {
    const variables = createVariables();
    const hint = createHint(shape(4, 4, 6), shape(4, 4, 3), variables);
    const student = featuresOf(1, 4, [4, 4, 6]);
    const teacher = featuresOf(2, 4, [4, 4, 3]);
    const optimizer = tf.train.sgd(0.5);
    const trained = variables.trainable.map(({ variable }) => variable);
    const distances = Array.from({ length: 20 }, () => {
      const loss = optimizer.minimize(() => hint(student, teacher, true).asScalar(), true, trained);
      return loss!.dataSync()[0]!;
    });
    expect(distances.at(-1)!).toBeLessThan(0.5 * distances[0]!);
    variables.dispose();
  });

  it('uses and keeps its running statistics in inference', () => {
    const variables = createVariables();
    const hint = createHint(shape(4, 4, 2), shape(4, 4, 3), variables);
    const read = () => variables.all.map(({ variable }) => [...variable.dataSync()]);
    const before = read();
    const [one, two] = [featuresOf(1, 1, [4, 4, 2]), featuresOf(1, 2, [4, 4, 2])];
    tf.tidy(() => {
      hint(one, featuresOf(2, 1, [4, 4, 3]), false);
      expect(read()).toEqual(before);
      hint(two, featuresOf(2, 2, [4, 4, 3]), true);
      expect(read()).not.toEqual(before);
    });
    variables.dispose();
  });
});
