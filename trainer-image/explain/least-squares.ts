/** Weighted least squares for local models of a few dozen unknowns, in double precision. */

/** Rows of 0 or 1: which superpixels a sample shows, `[rows, columns]`. */
export interface Masks {
  readonly rows: number;
  readonly columns: number;
  readonly values: Uint8Array;
}

/**
 * Solves A·x = b by Cholesky's decomposition; A is symmetric and positive definite, `[n, n]`.
 *
 * @throws RangeError where A is not.
 */
export function solve(matrix: Float64Array, right: Float64Array): Float64Array {
  const n = right.length;
  const lower = Float64Array.from(matrix);
  const at = (row: number, column: number) => lower[row * n + column] ?? Number.NaN;
  for (let column = 0; column < n; column++) {
    for (let row = column; row < n; row++) {
      let sum = at(row, column);
      for (let k = 0; k < column; k++) sum -= at(row, k) * at(column, k);
      if (row > column) {
        lower[row * n + column] = sum / at(column, column);
        continue;
      }
      // Rounding leaves something of a pivot that ought to be 0.
      const original = matrix[row * n + row] ?? Number.NaN;
      if (!(sum > 1e-12 * original)) throw new RangeError(`the equations do not determine unknown ${column}`);
      lower[row * n + row] = Math.sqrt(sum);
    }
  }
  const x = Float64Array.from(right);
  for (let row = 0; row < n; row++) {
    for (let k = 0; k < row; k++) x[row] = (x[row] ?? 0) - at(row, k) * (x[k] ?? 0);
    x[row] = (x[row] ?? 0) / at(row, row);
  }
  for (let row = n - 1; row >= 0; row--) {
    for (let k = row + 1; k < n; k++) x[row] = (x[row] ?? 0) - at(k, row) * (x[k] ?? 0);
    x[row] = (x[row] ?? 0) / at(row, row);
  }
  return x;
}

/** The normal equations of rows x, targets y and weights: XᵀWX `[n, n]` and XᵀWy `[n]`. */
export function normalEquations(
  rows: Iterable<{ readonly x: Float64Array; readonly y: number; readonly weight: number }>,
  n: number,
): { readonly matrix: Float64Array; readonly right: Float64Array } {
  const matrix = new Float64Array(n * n);
  const right = new Float64Array(n);
  for (const { x, y, weight } of rows) {
    for (let i = 0; i < n; i++) {
      const scaled = weight * (x[i] ?? 0);
      if (scaled === 0) continue;
      right[i] = (right[i] ?? 0) + scaled * y;
      for (let j = 0; j <= i; j++) matrix[i * n + j] = (matrix[i * n + j] ?? 0) + scaled * (x[j] ?? 0);
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) matrix[j * n + i] = matrix[i * n + j] ?? 0;
  return { matrix, right };
}
