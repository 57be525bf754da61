/** Probability of one class in each row of logits `[rows, classes]`: `[rows]`, 0 – 1. */
export function probabilities(logits: Float32Array, classes: number, target: number): Float64Array {
  return Float64Array.from({ length: logits.length / classes }, (_, row) => {
    const some = logits.subarray(row * classes, (row + 1) * classes);
    const largest = some.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
    const sum = some.reduce((total, logit) => total + Math.exp(logit - largest), 0);
    return Math.exp((some[target] ?? Number.NaN) - largest) / sum;
  });
}
