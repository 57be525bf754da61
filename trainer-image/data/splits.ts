/** Which training images are held out for validation, and which of the rest are used. */
import { DestillError } from '@destillml/core/errors.ts';
import { hash } from '../nn/random.ts';
import { countByClass, type ImageSet } from './dataset.ts';

/** Tells these draws from others of the same seed. */
const splitStream = 0x73_70_6c_69;

export interface SplitOptions {
  /** Images held out. */
  readonly validation: number;
  /** Share of the other images used for training, (0, 1]. */
  readonly fraction: number;
  readonly splitSeed: number;
}

/** Indices into the training images, ascending. */
export interface Split {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
}

/**
 * Splits the training images, every class in proportion to its size.
 *
 * All images are put into one order in which every beginning holds each class in its proportion (Sainte-Laguë's
 * apportionment: classes of equal size to within one image); within a class the order is drawn from `splitSeed`.
 * Validation is the first `validation` images; training the `round(fraction · rest)` that follow. So the validation
 * images do not depend on the fraction, and a smaller fraction is part of a larger one.
 *
 * @throws DestillError `InvalidSpec` where validation leaves nothing to train on, or a class gets no training image.
 */
export function splitTrain(set: ImageSet, { validation, fraction, splitSeed }: SplitOptions): Split {
  if (validation >= set.count) {
    throw new DestillError(
      'InvalidSpec',
      `dataset.validation: ${validation} of ${set.count} training images leave none to train on. Use a smaller number.`,
    );
  }
  const order = balancedOrder(set, splitSeed);
  const used = Math.round(fraction * (set.count - validation));
  const train = order.slice(validation, validation + used);
  checkClasses(set, train, `dataset.fraction ${fraction} with dataset.validation ${validation}`);
  return { train: train.sort(), validation: order.slice(0, validation).sort() };
}

/**
 * The order described above: the j-th of a class's n images (in an order drawn from the seed) stands at (j + ½) / n;
 * images of different classes at the same place stand in an order drawn from the seed.
 */
export function balancedOrder({ labels, classes, count }: ImageSet, seed: number): Uint32Array {
  const sizes = countByClass(labels, classes.length);
  const draws = Float64Array.from(labels, (_, image) => hash(seed, image, splitStream));
  const byDraw = Uint32Array.from(labels.keys()).sort((a, b) => at(draws, a) - at(draws, b) || a - b);
  const seen = new Uint32Array(classes.length);
  const places = new Float64Array(count);
  for (const image of byDraw) {
    const label = at(labels, image);
    const rank = at(seen, label);
    places[image] = (rank + 0.5) / at(sizes, label);
    seen[label] = rank + 1;
  }
  return byDraw.sort((a, b) => at(places, a) - at(places, b) || at(draws, a) - at(draws, b) || a - b);
}

function at(values: Float64Array | Uint32Array | Int32Array, index: number): number {
  return values[index] ?? Number.NaN;
}

function checkClasses({ labels, classes }: ImageSet, train: Uint32Array, fields: string): void {
  const counts = countByClass(
    Int32Array.from(train, (image) => at(labels, image)),
    classes.length,
  );
  const missing = counts.indexOf(0);
  if (missing >= 0) {
    throw new DestillError(
      'InvalidSpec',
      `${fields}: no training image of the class ${classes[missing]} is left among ${train.length}. Use a larger fraction or fewer validation images.`,
    );
  }
}
