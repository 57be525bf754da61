/** Validation accuracy after an epoch. */
export type EpochAccuracy = { readonly epoch: number; readonly validationAccuracy: number };

/** Values that `status.history` holds at most. */
const capacity = 128;

/**
 * Epochs from one value of the history to the next: value i, from 0, is that of epoch (i + 1) · stride.
 *
 * It follows from the number of epochs alone, so that whoever goes on with a history knows which epochs it is of.
 */
export function historyStride(epochs: number): number {
  return Math.ceil(epochs / capacity);
}

/**
 * The history with these epochs in it, of a Run that trains `epochs` in all. Epochs that nobody reported get the value
 * of the one before.
 */
export function withEpochs(
  history: readonly number[],
  epochs: number,
  reported: readonly EpochAccuracy[],
): readonly number[] {
  const stride = historyStride(epochs);
  const values = [...history];
  for (const { epoch, validationAccuracy } of reported) {
    if (epoch % stride !== 0 || epoch > epochs) continue;
    const index = epoch / stride - 1;
    const before = values.at(-1) ?? validationAccuracy;
    while (values.length < index) values.push(before);
    values[index] = validationAccuracy;
  }
  return values;
}
