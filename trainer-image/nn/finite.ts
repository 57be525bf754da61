/** The first of the values that is no finite number. */
export function notFinite(values: Float32Array): number | undefined {
  // Zero times a finite number is zero, of either sign: one sum tells of them all.
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += 0 * (values[index] ?? 0);
  return sum === 0 ? undefined : values.find((value) => !Number.isFinite(value));
}
