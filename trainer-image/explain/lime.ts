/**
 * LIME: Ribeiro, Singh and Guestrin, "'Why Should I Trust You?' Explaining the Predictions of Any Classifier", KDD
 * 2016, equations 1 and 2, with the choices of the package lime 0.2 for images: half of the superpixels hidden at
 * random by their mean colour, an exponential kernel of the cosine distance, a ridge regression of all superpixels.
 */
import { uniform } from '../nn/random.ts';
import { type Masks, normalEquations, solve } from './least-squares.ts';

export interface LimeOptions {
  /** Images that the network is shown. */
  readonly samples: number;
  /** σ of the kernel √exp(−d² / σ²) of the cosine distance d to the whole image. */
  readonly kernelWidth: number;
  /** α: penalty of the squared coefficients; the intercept is free. */
  readonly ridge: number;
}

export const limeDefaults: LimeOptions = { samples: 1000, kernelWidth: 0.25, ridge: 1 };

/** A linear model of a class's probability around one image. */
export interface LocalModel {
  /** `[segments]`: how much the probability rises where a superpixel is shown; negative: it falls. */
  readonly coefficients: Float64Array;
  readonly intercept: number;
  /** Weighted R² of the model on the samples, at most 1. */
  readonly r2: number;
}

/** Which superpixels each sample shows: all in the first one, else each with probability ½. */
export function limeMasks(segments: number, samples: number, seed: number): Masks {
  const values = Uint8Array.from({ length: samples * segments }, (_, index) =>
    index < segments || uniform(seed, index, limeStream) < 0.5 ? 1 : 0,
  );
  return { rows: samples, columns: segments, values };
}

/** Tells these draws from others of the same seed. */
const limeStream = 0x6c_69_6d_65;

/** Fits the local model. @param probabilities of the explained class, `[masks.rows]`. */
export function fitLocalModel(
  masks: Masks,
  probabilities: ArrayLike<number>,
  { kernelWidth, ridge }: Omit<LimeOptions, 'samples'>,
): LocalModel {
  const { rows, columns, values } = masks;
  const row = (index: number) => values.subarray(index * columns, (index + 1) * columns);
  const weights = Float64Array.from({ length: rows }, (_, index) => kernel(row(index), kernelWidth));
  const total = weights.reduce((sum, weight) => sum + weight, 0);

  const meanX = new Float64Array(columns);
  let meanY = 0;
  for (let index = 0; index < rows; index++) {
    const share = (weights[index] ?? 0) / total;
    meanY += share * (probabilities[index] ?? 0);
    for (const [column, shown] of row(index).entries()) meanX[column] = (meanX[column] ?? 0) + share * shown;
  }
  const centred = Array.from({ length: rows }, (_, index) => ({
    x: Float64Array.from(row(index), (shown, column) => shown - (meanX[column] ?? 0)),
    y: (probabilities[index] ?? 0) - meanY,
    weight: weights[index] ?? 0,
  }));

  const { matrix, right } = normalEquations(centred, columns);
  for (let i = 0; i < columns; i++) matrix[i * columns + i] = (matrix[i * columns + i] ?? 0) + ridge;
  const coefficients = solve(matrix, right);
  const predict = (x: Float64Array) =>
    x.reduce((sum, value, column) => sum + value * (coefficients[column] ?? 0), 0);
  const residual = centred.reduce((sum, { x, y, weight }) => sum + weight * (y - predict(x)) ** 2, 0);
  const variance = centred.reduce((sum, { y, weight }) => sum + weight * y ** 2, 0);
  return {
    coefficients,
    intercept: meanY - predict(meanX),
    // A probability that never changes is explained as it is.
    r2: variance > 0 ? 1 - residual / variance : 1,
  };
}

/** √exp(−d² / σ²) of the cosine distance d between a mask and the one that shows everything; 1 if it shows nothing. */
function kernel(shown: Uint8Array, width: number): number {
  const count = shown.reduce((sum, value) => sum + value, 0);
  const distance = 1 - Math.sqrt(count / shown.length);
  return Math.sqrt(Math.exp(-(distance ** 2) / width ** 2));
}
