/** Digits of a double that has no step; a narrow range has as many more as it needs for a thousand values. */
const digits = 4;

/** The value as people read it: four significant digits, and never outside of the range. */
export function rounded(value: number, { min, max }: { readonly min: number; readonly max: number }): number {
  const largest = Math.max(Math.abs(min), Math.abs(max));
  const narrow = Math.ceil(Math.log10(largest / (max - min))) + 3;
  const precision = Math.min(Math.max(digits, narrow), 17);
  return Math.min(Math.max(Number(value.toPrecision(precision)), min), max);
}

/** `min + index · step` without the noise of binary fractions: as many decimals as min and step have. */
export function onGrid(min: number, step: number, index: number): number {
  const decimals = Math.max(decimalsOf(min), decimalsOf(step));
  return decimals > 100 ? min + index * step : Number((min + index * step).toFixed(decimals));
}

function decimalsOf(value: number): number {
  const [mantissa = '', exponent = '0'] = String(value).split('e');
  const fraction = mantissa.split('.')[1] ?? '';
  return Math.max(0, fraction.length - Number(exponent));
}
